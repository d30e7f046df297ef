/** AlterShareGroupOffsets: where a group without members is to begin with the partitions; makes the group where there is none. */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { toNumber } from '../../../protocol/int64.ts';
import type {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../../../protocol/messages/91-alter-share-group-offsets.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { InitializeState, PartitionResult } from '../../share/persister.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import { findOrNewShareGroup } from './find.ts';
import { byTopic, type Initialization, initializingRecord } from './initialize.ts';
import { errorMessage } from './messages.ts';
import { nameOf } from './state-partitions.ts';

export type AlterRequest = MessageOf<typeof AlterShareGroupOffsetsRequest>;
export type AlterResponse = InputOf<typeof AlterShareGroupOffsetsResponse>;
type Topic = AlterRequest['topics'][number];
type TopicResponse = NonNullable<AlterResponse['responses']>[number];

export interface Alteration {
  readonly response: AlterResponse;
  readonly initialization: Initialization;
}

const UNKNOWN = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: errorMessage('UNKNOWN_TOPIC_OR_PARTITION'),
};

/** Throws GROUP_ID_NOT_FOUND where the group is of another kind, NON_EMPTY_GROUP. */
export function alterOffsets(
  shard: GroupShard,
  { groupId, topics }: AlterRequest,
  nowMs: number,
): Outcome<GroupRecord, Alteration> {
  const group = findOrNewShareGroup(shard, groupId);
  if (!group.isEmpty()) throw new KafkaError('NON_EMPTY_GROUP', errorMessage('NON_EMPTY_GROUP'));
  const partitions: InitializeState[] = [];
  const responses = merged(topics).map((topic) => altered(shard, topic, group.epoch, partitions));
  const response = { responses };
  if (partitions.length === 0) return { records: [], response: { response, initialization: { groupId, partitions } } };
  const image = shard.env.image();
  const initializing = new Map(
    [...byTopic(partitions)].map(([topicId, of]) => [topicId, { name: nameOf(image, topicId), partitions: of }]),
  );
  const records = [initializingRecord(shard, group, initializing, nowMs)];
  return { records, response: { response, initialization: { groupId, partitions } } };
}

/** Each topic once, with all of its partitions. */
function merged(topics: readonly Topic[]): Topic[] {
  const byName = new Map<string, Topic>();
  for (const topic of topics) {
    const before = byName.get(topic.topicName)?.partitions ?? [];
    byName.set(topic.topicName, { ...topic, partitions: [...before, ...topic.partitions] });
  }
  return [...byName.values()];
}

/** One topic's part of the response; what is to be initialized is added to `into`. */
function altered(shard: GroupShard, wanted: Topic, stateEpoch: number, into: InitializeState[]): TopicResponse {
  const { topicName, partitions } = wanted;
  const topic = shard.env.image().topic(topicName);
  const results = partitions.map(({ partitionIndex, startOffset }) => {
    if (topic?.partitions[partitionIndex] === undefined) return { partitionIndex, ...UNKNOWN };
    into.push({ topicId: topic.id, partition: partitionIndex, stateEpoch, startOffset: toNumber(startOffset) });
    return { partitionIndex };
  });
  return topic === undefined
    ? { topicName, partitions: results }
    : { topicName, topicId: topic.id, partitions: results };
}

/** The response with the errors of the share coordinator in it. */
export function withResults(response: AlterResponse, results: readonly PartitionResult[]): AlterResponse {
  const failed = new Map<string, PartitionResult>();
  for (const result of results) {
    if (result.errorCode !== ErrorCode.NONE) failed.set(`${result.topicId} ${result.partition}`, result);
  }
  if (failed.size === 0) return response;
  const responses = response.responses?.map((topic) => ({
    ...topic,
    partitions: topic.partitions?.map((partition) => {
      const result = failed.get(`${topic.topicId} ${partition.partitionIndex}`);
      if (result === undefined) return partition;
      const { errorCode, errorMessage: message } = result;
      return { partitionIndex: partition.partitionIndex, errorCode, errorMessage: message };
    }),
  }));
  return { ...response, responses };
}
