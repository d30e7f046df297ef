import { KafkaError } from '../../../protocol/errors.ts';
import type { Int64 } from '../../../protocol/int64.ts';
import type { MetadataImage } from '../../controller/image.ts';
import type { AnyGroup } from '../group.ts';
import type { ShareRecord } from './records.ts';
import type { ShareMember } from './share-member.ts';
import type { StatePartitions } from './state-partitions.ts';
import type { TopicPartitions } from './topic-partitions.ts';

/** How many members subscribe to each topic, by name. */
export type Subscriptions = ReadonlyMap<string, number>;

/** When a group has last been held against the metadata. */
interface Checked {
  readonly image: MetadataImage;
  readonly epoch: number;
}

/**
 * A share group (KIP-932): its members read the same partitions side by side. The broker computes a target assignment for each
 * epoch of the group, and a member takes it with its next heartbeat. All of it is durable but for the sessions of the members.
 */
export class ShareGroup implements AnyGroup {
  readonly type = 'share';
  readonly protocolType = 'share';
  readonly groupId: string;
  /** Grows with every change of members, subscriptions or subscribed topics. */
  epoch = 1;
  /** The topics subscribed to, as they were in this epoch. */
  metadataHash: Int64 = 0;
  readonly members = new Map<string, ShareMember>();
  /** The epoch that the target assignment was computed for, and when (ms since 1970; 0: not yet). */
  targetEpoch = 1;
  targetTimestampMs = 0;
  /** By member id. */
  readonly target = new Map<string, TopicPartitions>();
  /** Null where no state was ever asked for. */
  statePartitions: StatePartitions | null = null;
  /** When this coordinator last saw `statePartitions` change. */
  statePartitionsMs = 0;
  checked: Checked | null = null;
  /** What `hasUnassigned` has found since the last record; null: not looked yet. */
  unassigned: boolean | null = null;
  private readonly subscribed = new Map<string, number>();

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get state(): 'Empty' | 'Stable' {
    return this.members.size === 0 ? 'Empty' : 'Stable';
  }

  get subscriptions(): Subscriptions {
    return this.subscribed;
  }

  isEmpty(): boolean {
    return this.members.size === 0;
  }

  put(member: ShareMember): void {
    count(this.subscribed, this.members.get(member.memberId), member);
    this.members.set(member.memberId, member);
  }

  remove(memberId: string): void {
    count(this.subscribed, this.members.get(memberId), undefined);
    this.members.delete(memberId);
  }

  /** The subscriptions with `next` (undefined: nobody) in the place of a member as it is (undefined: new). */
  subscriptionsWith(present: ShareMember | undefined, next: ShareMember | undefined): Subscriptions {
    const subscriptions = new Map(this.subscribed);
    count(subscriptions, present, next);
    return subscriptions;
  }

  /** Throws UNKNOWN_MEMBER_ID. */
  requireMember(memberId: string): ShareMember {
    const member = this.members.get(memberId);
    if (member !== undefined) return member;
    throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${this.groupId}.`);
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribed.has(topic);
  }

  /** Share groups have no committed offsets. */
  requireCommitter(): null {
    throw this.notOfConsumers();
  }

  requireFetcher(): void {
    // whoever asks finds none
  }

  requireDeletableOffsets(): void {
    throw this.notOfConsumers();
  }

  /** Nor does the group itself ever expire. */
  retentionStart(): null {
    return null;
  }

  tombstones(): ShareRecord[] {
    const { groupId } = this;
    return [
      { type: 'share', what: 'target', groupId, value: null },
      { type: 'share', what: 'state-partitions', groupId, value: null },
      { type: 'share', what: 'group', groupId, value: null },
    ];
  }

  private notOfConsumers(): KafkaError {
    return new KafkaError('GROUP_ID_NOT_FOUND', `Group ${this.groupId} is not a consumer group.`);
  }
}

function count(subscriptions: Map<string, number>, before?: ShareMember, after?: ShareMember): void {
  for (const topic of before?.subscribedTopicNames ?? []) {
    const left = (subscriptions.get(topic) ?? 0) - 1;
    if (left > 0) subscriptions.set(topic, left);
    else subscriptions.delete(topic);
  }
  for (const topic of after?.subscribedTopicNames ?? []) {
    subscriptions.set(topic, (subscriptions.get(topic) ?? 0) + 1);
  }
}
