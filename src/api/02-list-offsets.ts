import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { toNumber } from '../../protocol/int64.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { Partition } from '../partition/partition.ts';
import { ByPartition } from './by-partition.ts';
import { handler, type RequestContext } from './handler.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';
import { missingPartition } from './missing-partition.ts';
import { answerFor } from './partition-failure.ts';

type Request = MessageOf<typeof ListOffsetsRequest>;
type Wanted = Request['topics'][number]['partitions'][number];
type PartitionResponse = NonNullable<
  NonNullable<InputOf<typeof ListOffsetsResponse>['topics']>[number]['partitions']
>[number];

/** Timestamps with a meaning (ListOffsetsRequest of 4.3.1), and the version from which each is known. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const EARLIEST_PENDING_UPLOAD = -6;
const SINCE: Record<number, number> = {
  [MAX_TIMESTAMP]: 7,
  [EARLIEST_LOCAL]: 8,
  [LATEST_TIERED]: 9,
  [EARLIEST_PENDING_UPLOAD]: 11,
};
const LEADER_EPOCH_SINCE = 4;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const DEBUGGING_CONSUMER = -2;

export const listOffsets = handler({
  request: ListOffsetsRequest,
  response: ListOffsetsResponse,
  versions: [1, 11],

  handle(context, request) {
    const { isolationLevel } = request;
    // Kafka has no answer but this to a level that it does not know
    if (isolationLevel < READ_UNCOMMITTED || isolationLevel > READ_COMMITTED)
      throw new KafkaError('UNKNOWN_SERVER_ERROR');
    const topics = [...wantedOf(request).topics].map(([name, partitions]) => ({
      name,
      partitions: [...partitions.values()].map(({ wanted, isRepeated }) => {
        if (isRepeated) return refused(wanted, ErrorCode.INVALID_REQUEST);
        return find(context, request, name, wanted);
      }),
    }));
    return { topics };
  },

  failed: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((wanted) => refused(wanted, errorCode)),
    })),
  }),
});

function find(context: RequestContext, request: Request, topic: string, wanted: Wanted): PartitionResponse {
  const timestamp = toNumber(wanted.timestamp);
  if (context.apiVersion < (SINCE[timestamp] ?? 0) || timestamp < EARLIEST_PENDING_UPLOAD) {
    return refused(wanted, ErrorCode.UNSUPPORTED_VERSION);
  }
  const partition = context.broker.partitions.get(topic, wanted.partitionIndex);
  if (partition === undefined) return refused(wanted, missingPartition(context.broker, topic, wanted.partitionIndex));
  const epochError = checkLeaderEpoch(partition, wanted.currentLeaderEpoch);
  if (epochError !== 0) return refused(wanted, epochError);
  const found = answerFor(
    context.broker,
    partition,
    () => lookUp(partition, request, wanted, timestamp),
    (errorCode) => refused(wanted, errorCode),
  );
  // the field is not there before, and not one that may be dropped in silence
  return context.apiVersion < LEADER_EPOCH_SINCE ? { ...found, leaderEpoch: -1 } : found;
}

function lookUp(partition: Partition, request: Request, wanted: Wanted, timestamp: number): PartitionResponse {
  const { log } = partition;
  const at = (offset: number, leaderEpoch: number, timestampMs = -1): PartitionResponse => ({
    partitionIndex: wanted.partitionIndex,
    timestamp: timestampMs,
    offset,
    leaderEpoch,
  });
  switch (timestamp) {
    case LATEST:
      return at(visibleUpTo(partition, request), partition.leaderEpoch);
    case EARLIEST:
    case EARLIEST_LOCAL:
      return at(partition.logStartOffset, log.epochForOffset(partition.logStartOffset));
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      // without tiered storage there is no such offset
      return at(-1, -1);
  }
  const found = timestamp === MAX_TIMESTAMP ? log.maxTimestamp() : log.offsetForTimestamp(timestamp);
  if (found === null || found.offset >= visibleUpTo(partition, request)) return at(-1, -1);
  return at(found.offset, found.leaderEpoch, found.timestampMs);
}

function visibleUpTo(partition: Partition, request: Request): number {
  if (request.replicaId === DEBUGGING_CONSUMER) return partition.log.logEndOffset;
  return request.isolationLevel === READ_COMMITTED ? partition.lastStableOffset : partition.highWatermark;
}

/** Kafka refuses a partition that is named more often than once. */
function wantedOf(request: Request): ByPartition<{ wanted: Wanted; isRepeated: boolean }> {
  const all = new ByPartition<{ wanted: Wanted; isRepeated: boolean }>();
  for (const { name, partitions } of request.topics) {
    for (const wanted of partitions) {
      const index = wanted.partitionIndex;
      all.set(name, index, { wanted, isRepeated: all.get(name, index) !== undefined });
    }
  }
  return all;
}

function refused(wanted: Wanted, errorCode: number): PartitionResponse {
  return { partitionIndex: wanted.partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
}
