import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/61-describe-producers.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { topicNameProblem } from '../controller/topic-names.ts';
import type { Partition } from '../partition/partition.ts';
import type { Broker } from './broker.ts';
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
  if (partition === undefined) return missing(context.broker, topic, partitionIndex);
  if (partition.isOffline) return { partitionIndex, errorCode: ErrorCode.KAFKA_STORAGE_ERROR };
  return answerFor(
    context.broker,
    partition,
    () => producersOf(partition),
    (errorCode) => ({ partitionIndex, errorCode }),
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

/** Kafka has words for a topic that the cluster does not have or cannot have, and none for the other errors. */
function missing(broker: Broker, topic: string, partitionIndex: number): PartitionResponse {
  const problem = topicNameProblem(topic);
  if (problem !== null) {
    return { partitionIndex, errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: problem };
  }
  const errorMessage = broker.image().topic(topic) === undefined ? UNKNOWN_TOPIC : null;
  return { partitionIndex, errorCode: missingPartition(broker, topic, partitionIndex), errorMessage };
}

const UNKNOWN_TOPIC = 'This server does not host this topic-partition.';
