import { KafkaError } from '../../../protocol/errors.ts';
import type { Int64 } from '../../../protocol/int64.ts';
import type { MetadataImage, TopicImage } from '../../controller/image.ts';
import type { AnyGroup, Committer, OffsetCheck } from '../group.ts';
import { metadataHash } from '../metadata-hash.ts';
import type { StoredOffset } from '../offsets/offset-store.ts';
import { offsetCheck, requireFetcherEpoch } from './committer.ts';
import { type ConsumerMember, isReconciledTo, LEAVE_EPOCH, newMember } from './consumer-member.ts';
import { NO_PARTITIONS, NONE_OWNED, type OwnedPartitions, type Partitions } from './partitions.ts';
import { type ConsumerRecord, ConsumerRecords, type ResolvedRegularExpression } from './records.ts';
import { TopicCounts } from './subscriptions/topic-counts.ts';

/** As ListGroups and ConsumerGroupDescribe name them. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

/**
 * A group of the consumer protocol (KIP-848): the coordinator assigns, and every member goes from its current assignment to
 * its target on its own. All that is durable changes in `apply` only.
 */
export class ConsumerGroup implements AnyGroup {
  readonly type = 'consumer';
  readonly protocolType = 'consumer';
  readonly groupId: string;
  /** Grows whenever members, subscriptions or topics change: a new target assignment is due. */
  groupEpoch = 1;
  metadataHash: Int64 = 0;
  /** The group epoch that the target assignment was made for. */
  assignmentEpoch = 1;
  /** When it was made; 0 where it has not been yet. */
  assignmentTimestampMs = 0;
  readonly members = new Map<string, ConsumerMember>();
  /** Member ids by instance id. */
  readonly staticMembers = new Map<string, string>();
  readonly targetAssignment = new Map<string, Partitions>();
  readonly resolvedRegexes = new Map<string, ResolvedRegularExpression>();
  readonly subscriptions = new TopicCounts();
  hasSubscriptionMetadata = false;
  /** How many members prefer each assignor. */
  private readonly assignors = new Map<string, number>();
  /** How many members speak the classic protocol. */
  classicMemberCount = 0;
  /** How many of them offer each strategy. */
  private readonly offered = new Map<string, number>();
  /** Who owns a partition or has yet to give it up: member ids by topic id and partition. */
  private readonly owners = new Map<string, Map<number, string>>();
  /** What the group epoch was last found to agree with; null: to be looked at anew. */
  private seen: {
    readonly image: MetadataImage;
    readonly topics: readonly (TopicImage | undefined)[];
    epoch: number;
  } | null = null;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty';
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning';
    for (const member of this.members.values()) if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling';
    return 'Stable';
  }

  isEmpty(): boolean {
    return this.members.size === 0;
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscriptions.topics.has(topic);
  }

  requireCommitter(by: Committer): OffsetCheck | null {
    const { generationIdOrMemberEpoch: epoch, memberId, groupInstanceId } = by;
    if (epoch < 0 && this.isEmpty()) return null;
    // the transaction fences by itself: clients before KIP-447 do not say who they are
    if (by.isTransactional && epoch < 0 && memberId === '' && groupInstanceId === null) return null;
    return offsetCheck(this.member(memberId), by);
  }

  requireFetcher(memberId: string | null, memberEpoch: number): void {
    if (memberId === null && memberEpoch < 0) return;
    requireFetcherEpoch(this.member(memberId ?? ''), memberEpoch);
  }

  requireDeletableOffsets(): void {}

  /** An offset expires so long after its commit, members or not; those of subscribed topics stay. */
  retentionStart(): (stored: StoredOffset) => number {
    return (stored) => stored.commitTimestampMs;
  }

  tombstones(): ConsumerRecord[] {
    const records = new ConsumerRecords(this.groupId);
    records.removeGroup([...this.members.keys()], [...this.resolvedRegexes.keys()]);
    return records.list;
  }

  /** Throws UNKNOWN_MEMBER_ID. */
  member(memberId: string): ConsumerMember {
    const member = this.members.get(memberId);
    if (member !== undefined) return member;
    throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${this.groupId}.`);
  }

  staticMember(instanceId: string | null): ConsumerMember | null {
    const memberId = instanceId === null ? undefined : this.staticMembers.get(instanceId);
    return memberId === undefined ? null : this.member(memberId);
  }

  /** Whether all members of the classic protocol offer the strategy; where there are none, any will do. */
  isOfferedByAll(protocolName: string): boolean {
    return (this.offered.get(protocolName) ?? 0) === this.classicMemberCount;
  }

  targetOf(memberId: string): Partitions {
    return this.targetAssignment.get(memberId) ?? NO_PARTITIONS;
  }

  isOwned(topicId: string, partition: number): boolean {
    return this.owners.get(topicId)?.has(partition) ?? false;
  }

  /** The assignor that most members prefer once one member is another; null where none prefers any. */
  preferredAssignor(before: ConsumerMember | null = null, after: ConsumerMember | null = null): string | null {
    const counts = new Map(this.assignors);
    countAssignor(counts, before, -1);
    countAssignor(counts, after, 1);
    let preferred: string | null = null;
    for (const [name, count] of counts) if (count > (counts.get(preferred ?? '') ?? 0)) preferred = name;
    return preferred;
  }

  /** Whether the image may show the group's topics otherwise than they were when its epoch was last looked at. */
  isMetadataOutdated(image: MetadataImage): boolean {
    const { seen } = this;
    if (seen === null || this.groupEpoch < seen.epoch) return true;
    if (seen.image === image) return false;
    let i = 0;
    for (const name of this.subscriptions.topics.keys()) if (image.topic(name) !== seen.topics[i++]) return true;
    if (i !== seen.topics.length) return true;
    this.seen = { ...seen, image };
    return false;
  }

  /** The group, which is about to enter `epoch`, agrees with the image. */
  noteMetadata(image: MetadataImage, epoch: number, topics: Iterable<string>): void {
    this.seen = { image, topics: [...topics].map((name) => image.topic(name)), epoch };
  }

  hashOf(image: MetadataImage, counts: TopicCounts): Int64 {
    return metadataHash(image, counts.topics.keys());
  }

  /** Applies a record. Those of a log that is being compacted may refer to members whose other records are gone. */
  apply(record: ConsumerRecord): void {
    switch (record.kind) {
      case 'group':
        this.groupEpoch = record.value?.epoch ?? this.groupEpoch;
        this.metadataHash = record.value?.metadataHash ?? this.metadataHash;
        break;
      case 'member':
        if (record.value === null) this.update(record.memberId, null);
        else this.update(record.memberId, { ...this.memberOrNew(record.memberId), ...record.value });
        break;
      case 'current':
        if (record.value !== null)
          this.update(record.memberId, { ...this.memberOrNew(record.memberId), ...record.value });
        else if (this.members.has(record.memberId))
          this.update(record.memberId, { ...this.member(record.memberId), ...UNASSIGNED });
        break;
      case 'target-member':
        if (record.value === null) this.targetAssignment.delete(record.memberId);
        else this.targetAssignment.set(record.memberId, record.value);
        break;
      case 'target':
        this.assignmentEpoch = record.value?.assignmentEpoch ?? -1;
        this.assignmentTimestampMs = record.value?.assignmentTimestampMs ?? 0;
        break;
      case 'regex':
        this.resolve(record.regex, record.value);
        break;
      case 'subscription-metadata':
        this.hasSubscriptionMetadata = record.value !== null;
        break;
    }
  }

  private memberOrNew(memberId: string): ConsumerMember {
    return this.members.get(memberId) ?? newMember(memberId);
  }

  private update(memberId: string, after: ConsumerMember | null): void {
    const before = this.members.get(memberId) ?? null;
    if (before !== null) this.disown(before);
    if (after === null) this.members.delete(memberId);
    else this.members.set(memberId, after);
    if (after === null && before?.instanceId != null && this.staticMembers.get(before.instanceId) === memberId)
      this.staticMembers.delete(before.instanceId);
    if (after !== null && after.instanceId !== null) this.staticMembers.set(after.instanceId, memberId);
    if (after !== null) this.own(after);
    this.subscriptions.changeMember(before, after);
    countAssignor(this.assignors, before, -1);
    countAssignor(this.assignors, after, 1);
    for (const { name } of before?.classic?.supportedProtocols ?? []) this.offer(name, -1);
    for (const { name } of after?.classic?.supportedProtocols ?? []) this.offer(name, 1);
    this.classicMemberCount += Number(after?.classic != null) - Number(before?.classic != null);
  }

  private offer(protocolName: string, change: number): void {
    this.offered.set(protocolName, (this.offered.get(protocolName) ?? 0) + change);
  }

  private resolve(regex: string, value: ResolvedRegularExpression | null): void {
    this.subscriptions.changeRegex(this.resolvedRegexes.get(regex)?.topics ?? [], value?.topics ?? []);
    // the newest comes last: all expressions of a group are resolved together
    this.resolvedRegexes.delete(regex);
    if (value !== null) this.resolvedRegexes.set(regex, value);
  }

  private own({ memberId, assignedPartitions, partitionsPendingRevocation }: ConsumerMember): void {
    eachPartition([assignedPartitions, partitionsPendingRevocation], (topicId, partition) => {
      const owners = this.owners.get(topicId) ?? new Map<number, string>();
      this.owners.set(topicId, owners.set(partition, memberId));
    });
  }

  /** A partition that another member has got since stays with that member. */
  private disown({ memberId, assignedPartitions, partitionsPendingRevocation }: ConsumerMember): void {
    eachPartition([assignedPartitions, partitionsPendingRevocation], (topicId, partition) => {
      const owners = this.owners.get(topicId);
      if (owners?.get(partition) !== memberId) return;
      owners.delete(partition);
      if (owners.size === 0) this.owners.delete(topicId);
    });
  }
}

/** What is left of a member whose assignment record is deleted. */
const UNASSIGNED = {
  memberEpoch: LEAVE_EPOCH,
  previousMemberEpoch: LEAVE_EPOCH,
  assignedPartitions: NONE_OWNED,
  partitionsPendingRevocation: NONE_OWNED,
};

function eachPartition(all: readonly OwnedPartitions[], each: (topicId: string, partition: number) => void): void {
  for (const owned of all)
    for (const [topicId, epochs] of owned) for (const partition of epochs.keys()) each(topicId, partition);
}

function countAssignor(counts: Map<string, number>, member: ConsumerMember | null, change: number): void {
  const name = member?.serverAssignor ?? null;
  if (name === null) return;
  const count = (counts.get(name) ?? 0) + change;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
