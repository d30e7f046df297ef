import { ErrorCode } from '../../protocol/errors.ts';
import { toNumber } from '../../protocol/int64.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import { isInternalTopic } from '../coordinator/topics.ts';
import { ByPartition } from './by-partition.ts';
import { handler, type RequestContext } from './handler.ts';
import { missingPartition } from './missing-partition.ts';
import { answerFor } from './partition-failure.ts';

/** DeleteRecords (KIP-107): moves the log start offset; the records below are gone for every reader at once. */
export const deleteRecords = handler({
  request: DeleteRecordsRequest,
  response: DeleteRecordsResponse,
  versions: [0, 2],

  handle(context, request) {
    const topics = [...offsetsOf(request).topics].map(([name, offsets]) => ({
      name,
      partitions: [...offsets].map(([partitionIndex, offset]) => ({
        partitionIndex,
        ...deleteBefore(context, name, partitionIndex, offset),
      })),
    }));
    return { topics };
  },

  failed: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
    })),
  }),
});

function offsetsOf(request: MessageOf<typeof DeleteRecordsRequest>): ByPartition<number> {
  const offsets = new ByPartition<number>();
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex, offset } of partitions) offsets.set(name, partitionIndex, toNumber(offset));
  }
  return offsets;
}

function deleteBefore(context: RequestContext, topic: string, index: number, offset: number) {
  const partition = context.broker.partitions.get(topic, index);
  if (partition === undefined) return refused(missingPartition(context.broker, topic, index));
  if (isInternalTopic(topic)) return refused(ErrorCode.INVALID_TOPIC_EXCEPTION);
  if (!partition.config.cleanupPolicy.delete && partition.config.cleanupPolicy.compact) {
    return refused(ErrorCode.POLICY_VIOLATION);
  }
  const moveStart = () => ({ lowWatermark: partition.deleteRecordsBefore(offset), errorCode: 0 });
  return answerFor(context.broker, partition, moveStart, refused);
}

const refused = (errorCode: number) => ({ lowWatermark: -1, errorCode });
