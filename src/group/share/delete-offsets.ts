/** Deletion of the state of share partitions: of single topics (DeleteShareGroupOffsets), with the group, and with their topics. */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from '../../../protocol/messages/92-delete-share-group-offsets.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { answered, DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { TopicPartitionId } from '../../share/persister.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import { requireShareGroup } from './find.ts';
import { statePartitionsRecord } from './initialize.ts';
import { errorMessage } from './messages.ts';
import type { ShareRecord } from './records.ts';
import { minus } from './sets.ts';
import { ShareGroup } from './share-group.ts';
import { forgetTopics, mentions, union } from './state-partitions.ts';

export type DeleteRequest = MessageOf<typeof DeleteShareGroupOffsetsRequest>;
export type DeleteResponse = InputOf<typeof DeleteShareGroupOffsetsResponse>;
export type DeletedTopic = NonNullable<DeleteResponse['responses']>[number];

export interface Deletion {
  /** What cannot be deleted. */
  readonly refused: readonly DeletedTopic[];
  /** Whose state is to be deleted now. */
  readonly partitions: readonly TopicPartitionId[];
}

const NOTHING: Outcome<never, Deletion> = answered({ refused: [], partitions: [] });

/** Notes which topics' state is to go. Throws GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
export function beginDeleteOffsets(
  shard: GroupShard,
  { groupId, topics }: DeleteRequest,
  nowMs: number,
): Outcome<GroupRecord, Deletion> {
  const group = requireShareGroup(shard, groupId);
  requireEmpty(group);
  const present = group.statePartitions;
  if (present === null) return NOTHING;
  const initialized = new Map(present.initialized);
  const deleting = new Set(present.deleting);
  const refused: DeletedTopic[] = [];
  const partitions: TopicPartitionId[] = [];
  for (const { topicName } of topics) {
    const topic = shard.env.image().topic(topicName);
    const known = topic && initialized.get(topic.id);
    if (topic === undefined) refused.push(unknown(topicName, errorMessage('UNKNOWN_TOPIC_OR_PARTITION')));
    else if (known !== undefined) partitions.push(...each(topic.id, known.partitions));
    else if (deleting.has(topic.id)) partitions.push(...each(topic.id, topic.partitions.keys()));
    else refused.push(unknown(topicName, 'There is no offset information to delete.'));
    if (topic !== undefined && initialized.delete(topic.id)) deleting.add(topic.id);
  }
  const record = statePartitionsRecord(shard, group, { ...present, initialized, deleting }, nowMs);
  return { records: [record], response: { refused, partitions } };
}

/** The state of the topics is gone. */
export function completeDeleteOffsets(
  shard: GroupShard,
  groupId: string,
  topicIds: ReadonlySet<string>,
  nowMs: number,
): ShareRecord[] {
  const group = shard.groups.get(groupId);
  if (!(group instanceof ShareGroup) || group.statePartitions === null) return [];
  const { deleting } = group.statePartitions;
  return [
    statePartitionsRecord(shard, group, { ...group.statePartitions, deleting: minus(deleting, topicIds) }, nowMs),
  ];
}

/** All state of a group that is about to be deleted; none where it is no share group. Throws NON_EMPTY_GROUP. */
export function beginDeleteGroup(shard: GroupShard, groupId: string, nowMs: number): Outcome<GroupRecord, Deletion> {
  const group = shard.groups.get(groupId);
  if (!(group instanceof ShareGroup)) return NOTHING;
  requireEmpty(group);
  if (group.statePartitions === null) return NOTHING;
  const { initialized, initializing, deleting } = group.statePartitions;
  const topics = new Map([...union(initialized, initializing)].map(([id, { partitions }]) => [id, partitions]));
  // what an earlier attempt has left is tried again; where the topic is gone, the share coordinator forgets by itself
  for (const topicId of deleting) {
    const topic = shard.env.image().topicById(topicId);
    if (topic !== undefined) topics.set(topicId, new Set(topic.partitions.keys()));
  }
  const next = { initialized: new Map(), initializing: new Map(), deleting: new Set(topics.keys()) };
  const partitions = [...topics].flatMap(([topicId, of]) => each(topicId, of));
  return { records: [statePartitionsRecord(shard, group, next, nowMs)], response: { refused: [], partitions } };
}

/** Topics are gone: so is what the group knows of their state. The share coordinator forgets them by itself. */
export function forgetStateOf(
  shard: GroupShard,
  groupId: string,
  topicIds: ReadonlySet<string>,
  nowMs: number,
): Outcome<GroupRecord, void> {
  const group = shard.groups.get(groupId);
  if (!(group instanceof ShareGroup) || group.statePartitions === null) return DONE;
  if (!mentions(group.statePartitions, topicIds)) return DONE;
  const next = forgetTopics(group.statePartitions, topicIds);
  return { records: [statePartitionsRecord(shard, group, next, nowMs)], response: undefined };
}

function requireEmpty(group: ShareGroup): void {
  if (!group.isEmpty()) throw new KafkaError('NON_EMPTY_GROUP', errorMessage('NON_EMPTY_GROUP'));
}

function each(topicId: string, partitions: Iterable<number>): TopicPartitionId[] {
  return [...partitions].map((partition) => ({ topicId, partition }));
}

function unknown(topicName: string, message: string): DeletedTopic {
  return { topicName, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: message };
}
