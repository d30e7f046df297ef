import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/61-describe-producers.ts';
import type { InputOf } from '../../protocol/schema.ts';
import type { Partition } from '../partition/partition.ts';
import { handler, type RequestContext } from './handler.ts';
import { missingPartition } from './missing-partition.ts';
import { answerFor } from './partition-failure.ts';

type PartitionResponse = NonNullable<
  NonNullable<InputOf<typeof DescribeProducersResponse>['topics']>[number]['partitions']
>[number];

/** DescribeProducers (KIP-664): the idempotent and transactional producers that a partition remembers. */
export const describeProducers = handler({
  request: DescribeProducersRequest,
  response: DescribeProducersResponse,
  versions: [0, 0],

  handle(context, request) {
    return {
      topics: request.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((index) => describe(context, name, index)),
      })),
    };
  },

  failed: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
    })),
  }),
});

function describe(context: RequestContext, topic: string, partitionIndex: number): PartitionResponse {
  const partition = context.broker.partitions.get(topic, partitionIndex);
  if (partition === undefined) return missing(partitionIndex, missingPartition(context.broker, topic, partitionIndex));
  if (partition.isOffline) return missing(partitionIndex, ErrorCode.KAFKA_STORAGE_ERROR);
  return answerFor(
    context.broker,
    partition,
    () => producersOf(partition),
    (errorCode) => missing(partitionIndex, errorCode),
  );
}

/** Throws LogError or DiskError. */
function producersOf(partition: Partition): PartitionResponse {
  return {
    partitionIndex: partition.index,
    errorCode: 0,
    activeProducers: partition.log.producers().map((p) => ({
      producerId: p.producerId,
      producerEpoch: p.producerEpoch,
      lastSequence: p.lastSequence,
      lastTimestamp: p.lastTimestampMs,
      coordinatorEpoch: p.coordinatorEpoch,
      currentTxnStartOffset: p.currentTransactionStartOffset,
    })),
  };
}

/** Kafka has words for a partition that the cluster does not have, and none for the other errors. */
function missing(partitionIndex: number, errorCode: number): PartitionResponse {
  const isUnknown = errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return { partitionIndex, errorCode, errorMessage: isUnknown ? UNKNOWN_PARTITION : null };
}

const UNKNOWN_PARTITION = 'This server does not host this topic-partition.';
