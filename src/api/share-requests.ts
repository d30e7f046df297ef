/** What ShareFetch and ShareAcknowledge have in common (KIP-932). */
import { KafkaError } from '../../protocol/errors.ts';
import type { SessionPartition } from '../share/share-sessions.ts';
import type { Broker, Endpoint } from './broker.ts';
import type { RequestContext } from './handler.ts';

/** Session epochs with a meaning: 0 begins a session, -1 ends it. */
export const INITIAL_EPOCH = 0;
export const FINAL_EPOCH = -1;

/** From then on locks can be renewed (KIP-1222) and records be limited strictly (KIP-1206). */
export const RENEW_SINCE = 2;

const MEMBER_ID_MAX = 36;

interface Member {
  readonly groupId: string;
  readonly memberId: string;
}

/** Who asks. Throws UNSUPPORTED_VERSION where share groups are turned off, INVALID_REQUEST. */
export function memberOf(broker: Broker, request: { groupId: string | null; memberId: string | null }): Member {
  const { groupId, memberId } = request;
  if ((broker.image().features.get('share.version') ?? 0) < 1) {
    throw new KafkaError('UNSUPPORTED_VERSION', 'The version of API is not supported.');
  }
  if (groupId === null) throw new KafkaError('INVALID_REQUEST', 'Invalid group id in the request.');
  if (memberId === null || memberId === '' || memberId.length > MEMBER_ID_MAX) {
    throw new KafkaError('INVALID_REQUEST', 'Invalid member id in the request.');
  }
  return { groupId, memberId };
}

export const sessionNotFound = (): KafkaError =>
  new KafkaError('SHARE_SESSION_NOT_FOUND', 'The share session was not found.');
export const invalidEpoch = (): KafkaError =>
  new KafkaError('INVALID_SHARE_SESSION_EPOCH', 'The share session epoch is invalid.');

export function partitionsOf(
  broker: Broker,
  topics: readonly { topicId: string; partitions: readonly { partitionIndex: number }[] }[],
): SessionPartition[] {
  return topics.flatMap(({ topicId, partitions }) => {
    const isKnown = broker.image().topicById(topicId) !== undefined;
    return partitions.map(({ partitionIndex: partition }) => ({ topicId, partition, isKnown }));
  });
}

/** Whether the metadata knows the partition. */
export function exists(broker: Broker, topicId: string, partition: number): boolean {
  return broker.image().topicById(topicId)?.partitions[partition] !== undefined;
}

interface LeaderId {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/** Where partitions are to be looked for that are not led here: in the partitions' answers, and the leaders' addresses. */
export class Leaders {
  private readonly context: RequestContext;
  private readonly found = new Map<number, Endpoint>();

  constructor(context: RequestContext) {
    this.context = context;
  }

  /** Of a partition that was refused because its leader is another one. */
  of(topicId: string, partition: number): LeaderId {
    const { broker, connection } = this.context;
    const state = broker.image().topicById(topicId)?.partitions[partition];
    if (state === undefined) return { leaderId: -1, leaderEpoch: -1 };
    const { leader: leaderId, leaderEpoch } = state;
    const endpoint = broker.endpoints(connection.listenerName).find(({ nodeId }) => nodeId === leaderId);
    if (endpoint !== undefined) this.found.set(leaderId, endpoint);
    return { leaderId, leaderEpoch };
  }

  get endpoints(): Endpoint[] {
    return [...this.found.values()];
  }
}
