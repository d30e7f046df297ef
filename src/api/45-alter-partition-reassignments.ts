import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/45-alter-partition-reassignments.ts';
import { handler } from './handler.ts';
import { checkHasTime } from './timeout.ts';

/** AlterPartitionReassignments (KIP-455, KIP-860): partitions move to other replicas, or the move is taken back. */
export const alterPartitionReassignments = handler({
  request: AlterPartitionReassignmentsRequest,
  response: AlterPartitionReassignmentsResponse,
  versions: [0, 1],

  handle(context, request) {
    checkHasTime(request.timeoutMs, () => request.topics.length > 0);
    return context.broker.controller.alterPartitionReassignments(request);
  },

  failed: (request, errorCode, errorMessage) => ({
    errorCode,
    errorMessage,
    responses: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, errorMessage })),
    })),
  }),
});
