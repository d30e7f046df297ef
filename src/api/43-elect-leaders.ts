import { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts';
import { handler } from './handler.ts';
import { checkHasTime } from './timeout.ts';

/** ElectLeaders (KIP-183, KIP-460): the preferred replica leads again, or any that serves where none leads. */
export const electLeaders = handler({
  request: ElectLeadersRequest,
  response: ElectLeadersResponse,
  versions: [0, 2],

  handle(context, request) {
    checkHasTime(request.timeoutMs);
    return context.broker.controller.electLeaders(request);
  },

  // version 0 has errors of partitions only
  failed: (request, errorCode, errorMessage) => ({
    replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
    })),
  }),
});
