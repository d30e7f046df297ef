import { ErrorCode } from '../../protocol/errors.ts';
import { toNumber } from '../../protocol/int64.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts';
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
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, offset }) => ({
          partitionIndex,
          ...deleteBefore(context, name, partitionIndex, toNumber(offset)),
        })),
      })),
    };
  },

  failed: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
    })),
  }),
});

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
