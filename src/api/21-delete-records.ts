import { ErrorCode } from '../../protocol/errors.ts';
import { toNumber } from '../../protocol/int64.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import { isInternalTopic } from '../coordinator/topics.ts';
import { handler, type RequestContext } from './handler.ts';
import { missingPartition } from './missing-partition.ts';
import { answerFor } from './partition-failure.ts';

/** DeleteRecords (KIP-107): moves the log start offset; the records below are gone for every reader at once. */
export const deleteRecords = handler({
  request: DeleteRecordsRequest,
  response: DeleteRecordsResponse,
  versions: [0, 2],

  handle(context, request) {
    const topics = [...offsetsOf(request)].map(([name, offsets]) => ({
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

/** By topic and partition the offset that is named last, as Kafka reads the request; topics without partitions are left out. */
function offsetsOf(request: MessageOf<typeof DeleteRecordsRequest>): Map<string, Map<number, number>> {
  const topics = new Map<string, Map<number, number>>();
  for (const { name, partitions } of request.topics) {
    const offsets = topics.get(name) ?? new Map<number, number>();
    for (const { partitionIndex, offset } of partitions) offsets.set(partitionIndex, toNumber(offset));
    if (offsets.size > 0) topics.set(name, offsets);
  }
  return topics;
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
