/** Which state of share partitions a group asks the share coordinator for, and what becomes of it. */
import type { InitializeState, TopicPartitionId } from '../../share/persister.ts';
import type { GroupShard } from '../group-shard.ts';
import type { ShareRecord } from './records.ts';
import { isSameSet, minus } from './sets.ts';
import { ShareGroup } from './share-group.ts';
import {
  becomeInitialized,
  beginInitializing,
  NO_STATE,
  type StatePartitions,
  type StateTopic,
  type StateTopics,
  toMetadata,
  union,
  without,
} from './state-partitions.ts';
import type { TopicPartitions } from './topic-partitions.ts';

/** The state epoch is the group's; where a partition begins is decided when it is first read. */
const UNDECIDED_OFFSET = -1;

/** What is to be asked of the persister once the records are committed. */
export interface Initialization {
  readonly groupId: string;
  readonly partitions: readonly InitializeState[];
}

/**
 * Partitions of subscribed topics without state; what was asked for and did not come in a while counts as not asked for.
 */
export function uninitialized(
  shard: GroupShard,
  group: ShareGroup,
  topicNames: Iterable<string>,
  nowMs: number,
): StateTopics {
  const { initialized, initializing } = group.statePartitions ?? NO_STATE;
  const retryMs = shard.config.get('group.share.initialize.retry.interval.ms');
  const isPending = nowMs - group.statePartitionsMs < retryMs;
  const known = isPending ? union(initialized, initializing) : initialized;
  const image = shard.env.image();
  const missing = new Map<string, StateTopic>();
  for (const name of topicNames) {
    const topic = image.topic(name);
    if (topic === undefined) continue;
    const partitions = minus(new Set(topic.partitions.keys()), known.get(topic.id)?.partitions ?? new Set());
    if (partitions.size > 0) missing.set(topic.id, { name, partitions });
  }
  return missing;
}

/** Notes in the log that state is asked for. */
export function initializingRecord(
  shard: GroupShard,
  group: ShareGroup,
  topics: StateTopics,
  nowMs: number,
): ShareRecord {
  return statePartitionsRecord(shard, group, beginInitializing(group.statePartitions ?? NO_STATE, topics), nowMs);
}

export function statePartitionsRecord(
  shard: GroupShard,
  { groupId }: ShareGroup,
  next: StatePartitions,
  nowMs: number,
): ShareRecord {
  const value = toMetadata(next, shard.env.image());
  return { type: 'share', what: 'state-partitions', groupId, value, writtenMs: nowMs };
}

export function initializationOf(groupId: string, stateEpoch: number, topics: StateTopics): Initialization {
  const partitions: InitializeState[] = [];
  for (const [topicId, of] of topics) {
    for (const partition of of.partitions) {
      partitions.push({ topicId, partition, stateEpoch, startOffset: UNDECIDED_OFFSET });
    }
  }
  return { groupId, partitions };
}

/** The share coordinator has made the state: from now on the partitions may be assigned. */
export function initialized(
  shard: GroupShard,
  groupId: string,
  partitions: readonly TopicPartitionId[],
  nowMs: number,
): ShareRecord[] {
  const group = shard.groups.get(groupId);
  if (!(group instanceof ShareGroup) || partitions.length === 0) return [];
  const present = group.statePartitions ?? NO_STATE;
  const next = becomeInitialized(present, byTopic(partitions), shard.env.image());
  return [statePartitionsRecord(shard, group, next, nowMs)];
}

/** The share coordinator could not make the state: the next heartbeat asks again. */
export function notInitialized(
  shard: GroupShard,
  groupId: string,
  partitions: readonly TopicPartitionId[],
  nowMs: number,
): ShareRecord[] {
  const group = shard.groups.get(groupId);
  if (!(group instanceof ShareGroup) || group.statePartitions === null) return [];
  if (group.statePartitions.initializing.size === 0 || partitions.length === 0) return [];
  const initializing = without(group.statePartitions.initializing, byTopic(partitions));
  const next = { ...group.statePartitions, initializing };
  return [statePartitionsRecord(shard, group, next, nowMs)];
}

/** Whether partitions of subscribed topics have state and are not assigned to anybody, or the other way about. */
export function hasUnassigned(group: ShareGroup): boolean {
  if (group.isEmpty() || group.statePartitions === null) return false;
  const assigned = new Map<string, Set<number>>();
  for (const target of group.target.values()) {
    for (const [topicId, partitions] of target) {
      const given = assigned.get(topicId) ?? new Set();
      for (const partition of partitions) given.add(partition);
      assigned.set(topicId, given);
    }
  }
  for (const [topicId, { name, partitions }] of group.statePartitions.initialized) {
    if (!group.isSubscribedTo(name)) continue;
    const given = assigned.get(topicId);
    if (given === undefined || !isSameSet(given, partitions)) return true;
  }
  return false;
}

export function byTopic(partitions: readonly TopicPartitionId[]): TopicPartitions {
  const topics = new Map<string, Set<number>>();
  for (const { topicId, partition } of partitions) {
    topics.set(topicId, (topics.get(topicId) ?? new Set()).add(partition));
  }
  return topics;
}
