import type { JoinGroupResponse } from '../../../protocol/messages/11-join-group.ts';
import type { SyncGroupResponse } from '../../../protocol/messages/14-sync-group.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { Reply } from '../../coordinator/answer.ts';

export type JoinResponse = InputOf<typeof JoinGroupResponse>;
export type SyncResponse = InputOf<typeof SyncGroupResponse>;

/** An assignment strategy that a member offers, with what the strategy wants to know of the member. */
export interface Protocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export const NO_BYTES = Buffer.alloc(0);

/** A member of a classic group: what the log keeps of it, and what it waits for. */
export class Member {
  readonly memberId: string;
  /** KIP-345: the name under which a static member comes back; null for a dynamic one. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly protocolType: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  /** In the order in which the member prefers them. */
  protocols: readonly Protocol[];
  assignment: Buffer = NO_BYTES;
  /** Not yet part of a generation; such a member may be expired while it waits to join. */
  isNew = false;
  /** Set while a JoinGroup waits for the rebalance. Only Group may change it: it counts them. */
  awaitingJoin: Reply<JoinResponse> | null = null;
  /** Set while a SyncGroup waits for the leader's assignment. */
  awaitingSync: Reply<SyncResponse> | null = null;

  constructor(
    fields: Pick<
      Member,
      | 'memberId'
      | 'groupInstanceId'
      | 'clientId'
      | 'clientHost'
      | 'protocolType'
      | 'rebalanceTimeoutMs'
      | 'sessionTimeoutMs'
      | 'protocols'
    >,
  ) {
    this.memberId = fields.memberId;
    this.groupInstanceId = fields.groupInstanceId;
    this.clientId = fields.clientId;
    this.clientHost = fields.clientHost;
    this.protocolType = fields.protocolType;
    this.rebalanceTimeoutMs = fields.rebalanceTimeoutMs;
    this.sessionTimeoutMs = fields.sessionTimeoutMs;
    this.protocols = fields.protocols;
  }

  /** What the member says under a strategy that it must have offered. */
  metadata(protocolName: string): Buffer {
    const protocol = this.protocols.find((p) => p.name === protocolName);
    if (protocol === undefined) throw new Error(`member ${this.memberId} does not support protocol ${protocolName}`);
    return protocol.metadata;
  }

  /** Whether the member offers exactly these strategies, in this order, with this metadata. */
  offers(protocols: readonly Protocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every((p, i) => p.name === this.protocols[i].name && p.metadata.equals(this.protocols[i].metadata))
    );
  }

  offersAlso(protocol: Protocol): boolean {
    return this.protocols.some((p) => p.name === protocol.name && p.metadata.equals(protocol.metadata));
  }

  /** Whether the member needs no heartbeat now: it waits for us, not we for it. */
  isExcused(): boolean {
    return !this.isNew && (this.awaitingJoin !== null || this.awaitingSync !== null);
  }

  answerSync(response: SyncResponse): boolean {
    const reply = this.awaitingSync;
    this.awaitingSync = null;
    reply?.(response);
    return reply !== null;
  }
}
