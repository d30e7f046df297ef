import type { ClassicGroup } from './classic/classic-group.ts';
import type { ConsumerGroup } from './consumer/consumer-group.ts';
import type { StoredOffset } from './offsets/offset-store.ts';
import type { GroupRecord } from './records.ts';
import type { ShareGroup } from './share/share-group.ts';
import type { StreamsGroup } from './streams/streams-group.ts';

/** Who commits offsets: OffsetCommit, or TxnOffsetCommit with what it says of the member. */
export interface Committer {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** Generation of a classic group, member epoch of the others; below 0 outside of any group. */
  readonly generationIdOrMemberEpoch: number;
  /** Of the request. */
  readonly apiVersion: number;
  /** Whether a transaction vouches for it, too (TxnOffsetCommit). */
  readonly isTransactional: boolean;
}

/** Throws KafkaError where the committer may not commit for this partition. */
export type OffsetCheck = (topicId: string, topic: string, partition: number) => void;

/** What groups of every kind can tell, and what committed offsets ask of them. State changes are each kind's own. */
export interface AnyGroup {
  readonly groupId: string;
  /** As ListGroups names kind and state. */
  readonly type: 'classic' | 'consumer' | 'share' | 'streams';
  readonly state: string;
  /** As ListGroups names it; null where no member has ever said. */
  readonly protocolType: string | null;

  isEmpty(): boolean;
  /** Whether the members read the topic, so that its offsets must stay; where that is not known, they are taken to. */
  isSubscribedTo(topic: string): boolean;
  /**
   * Throws KafkaError where the committer is no member, or not in a generation or epoch in which it may commit. Null: for
   * every partition; else each has to be asked for.
   */
  requireCommitter(by: Committer): OffsetCheck | null;
  /**
   * Throws KafkaError where who fetches offsets says that it is a member (`memberId`, and an epoch from 0 on) and is none in
   * the present epoch.
   */
  requireFetcher(memberId: string | null, memberEpoch: number): void;
  /** Throws KafkaError where offsets of single topics cannot be deleted now (OffsetDelete). */
  requireDeletableOffsets(): void;
  /**
   * From when the retention of an offset counts (KIP-211), in ms since 1970: a function of the offset. Null: nothing expires
   * now.
   */
  retentionStart(): ((stored: StoredOffset) => number) | null;
  /** Deletes all records of the group itself; its offsets have their own. */
  tombstones(): GroupRecord[];
}

export type Group = ClassicGroup | ConsumerGroup | ShareGroup | StreamsGroup;
