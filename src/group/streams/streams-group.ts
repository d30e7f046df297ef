import { KafkaError } from '../../../protocol/errors.ts';
import type { Int64 } from '../../../protocol/int64.ts';
import type { TopicImage } from '../../controller/image.ts';
import type { AnyGroup, Committer, OffsetCheck } from '../group.ts';
import type { StoredOffset } from '../offsets/offset-store.ts';
import type { GroupRecord } from '../records.ts';
import type { ConfiguredTopology } from './internal-topics.ts';
import { groupTombstones, type StreamsRecord } from './records.ts';
import { isReconciledTo, type StreamsMember } from './streams-member.ts';
import type { AssignmentConfigs } from './target-assignment.ts';
import { TaskOwners } from './task-owners.ts';
import type { TaskSets } from './tasks.ts';
import { readers, type Topology } from './topology.ts';

export type StreamsGroupState = 'Empty' | 'NotReady' | 'Assigning' | 'Reconciling' | 'Stable';

/** What the epochs of a new group begin with. */
const FIRST_EPOCH = 1;
/** From then on a client knows what a commit of a member of these groups is answered with. */
const MEMBER_EPOCH_VERSION = 9;

/**
 * A group of the Streams protocol (KIP-1071): the broker knows the application's topology, assigns its tasks and leads each
 * member from what it has to what it is to have. The log holds all but what stands under "in memory".
 */
export class StreamsGroup implements AnyGroup {
  readonly type = 'streams';
  readonly protocolType = 'streams';
  readonly groupId: string;
  groupEpoch = FIRST_EPOCH;
  metadataHash: Int64 = 0;
  /** Epoch of the topology that the topics fit; -1: none. */
  validatedTopologyEpoch = 0;
  /** What the last target was made with. */
  assignmentConfigs: AssignmentConfigs = new Map();
  assignmentEpoch = FIRST_EPOCH;
  assignmentTimestampMs = 0;
  /** By member id. */
  readonly targets = new Map<string, TaskSets>();
  readonly owners = new TaskOwners();
  private readonly membersById = new Map<string, StreamsMember>();
  private theTopology: Topology | null = null;
  /** Which subtopology reads a topic. */
  private readerOf: ReadonlyMap<string, string> = new Map();

  // in memory: found again when members come back
  configured: ConfiguredTopology | null = null;
  /** The required topics as they were when the topology was last looked at. */
  seenTopics: ReadonlyMap<string, TopicImage | undefined> = new Map();
  /** The member that asked all others to shut down. */
  shutdownRequestedBy: string | null = null;
  /** Grows with what is known of the members' endpoints. */
  endpointInformationEpoch = 0;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get members(): ReadonlyMap<string, StreamsMember> {
    return this.membersById;
  }

  get topology(): Topology | null {
    return this.theTopology;
  }

  setTopology(topology: Topology | null): void {
    this.theTopology = topology;
    this.readerOf = topology === null ? new Map() : readers(topology);
  }

  putMember(member: StreamsMember): void {
    const before = this.membersById.get(member.memberId);
    if (before !== undefined) this.owners.remove(before);
    this.membersById.set(member.memberId, member);
    this.owners.add(member);
  }

  removeMember(memberId: string): void {
    const member = this.membersById.get(memberId);
    if (member === undefined) return;
    this.owners.remove(member);
    this.membersById.delete(memberId);
    if (this.membersById.size === 0) this.shutdownRequestedBy = null;
  }

  get state(): StreamsGroupState {
    if (this.membersById.size === 0) return 'Empty';
    if (this.theTopology?.epoch !== this.validatedTopologyEpoch) return 'NotReady';
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning';
    for (const member of this.membersById.values()) {
      if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling';
    }
    return 'Stable';
  }

  isEmpty(): boolean {
    return this.membersById.size === 0;
  }

  /** Throws UNKNOWN_MEMBER_ID. */
  requireMember(memberId: string): StreamsMember {
    const member = this.membersById.get(memberId);
    if (member !== undefined) return member;
    throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${this.groupId}.`);
  }

  isSubscribedTo(topic: string): boolean {
    return !this.isEmpty() && this.readerOf.has(topic);
  }

  /**
   * A member in an earlier epoch may still commit for the tasks that it has had since then. Throws UNKNOWN_MEMBER_ID,
   * STALE_MEMBER_EPOCH, UNSUPPORTED_VERSION.
   */
  requireCommitter(by: Committer): OffsetCheck | null {
    const { memberId, groupInstanceId, generationIdOrMemberEpoch: epoch } = by;
    if (epoch < 0 && this.isEmpty()) return null;
    if (by.isTransactional && epoch === -1 && memberId === '' && groupInstanceId === null) return null;
    const member = this.requireMember(memberId);
    if (!by.isTransactional && by.apiVersion < MEMBER_EPOCH_VERSION) {
      const message = 'OffsetCommit version 9 or above must be used by members using the streams group protocol';
      throw new KafkaError('UNSUPPORTED_VERSION', message);
    }
    if (epoch === member.memberEpoch) return null;
    if (epoch > member.memberEpoch) {
      throw stale(`Received member epoch ${epoch} is newer than current member epoch ${member.memberEpoch}.`);
    }
    if (this.theTopology === null) throw stale('Topology is not available for offset commit validation.');
    return (_topicId, topic, partition) => this.requireTaskSince(member, epoch, topic, partition);
  }

  private requireTaskSince(member: StreamsMember, epoch: number, topic: string, partition: number): void {
    const subtopologyId = this.readerOf.get(topic);
    if (subtopologyId === undefined) throw stale(`Topic ${topic} is not in the topology.`);
    const { assigned, pendingRevocation } = member;
    const since =
      assigned.active.get(subtopologyId)?.get(partition) ?? pendingRevocation.active.get(subtopologyId)?.get(partition);
    if (since === undefined) {
      throw stale(`Task ${subtopologyId}-${partition} is not assigned or pending revocation for member.`);
    }
    if (epoch < since) {
      const message = `Received member epoch ${epoch} is older than assignment epoch ${since} for task ${subtopologyId}-${partition}.`;
      throw stale(message);
    }
  }

  /** Anybody outside of the group may; who names a member must be that member in its epoch. */
  requireFetcher(memberId: string | null, memberEpoch: number): void {
    if (memberId === null && memberEpoch < 0) return;
    const member = this.requireMember(memberId ?? 'null');
    if (memberEpoch === member.memberEpoch) return;
    const expected = member.memberEpoch;
    throw stale(`The received member epoch ${memberEpoch} does not match the expected member epoch ${expected}.`);
  }

  requireDeletableOffsets(): void {
    // topics that the members read are refused one by one
  }

  retentionStart(): (stored: StoredOffset) => number {
    return (stored) => stored.commitTimestampMs;
  }

  /** The record of an epoch; what is not given stays as it is. */
  epochRecord(given: {
    readonly epoch: number;
    readonly metadataHash?: Int64;
    readonly validatedTopologyEpoch?: number;
    readonly configs?: AssignmentConfigs;
  }): StreamsRecord {
    const { epoch, metadataHash = this.metadataHash, configs = this.assignmentConfigs } = given;
    const { validatedTopologyEpoch = this.validatedTopologyEpoch } = given;
    const lastAssignmentConfigs = [...configs].map(([key, value]) => ({ key, value }));
    const value = { epoch, metadataHash, validatedTopologyEpoch, lastAssignmentConfigs };
    return { type: 'streams', part: 'group', groupId: this.groupId, value };
  }

  tombstones(): GroupRecord[] {
    return groupTombstones(this.groupId, [...this.membersById.keys()]);
  }
}

const stale = (message: string): KafkaError => new KafkaError('STALE_MEMBER_EPOCH', message);
