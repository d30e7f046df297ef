import { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts';
import { handler } from './handler.ts';
import { checkHasTime } from './timeout.ts';

/** Version 0 has errors of partitions only. */
const WHOLE_SINCE = 1;

/** ElectLeaders (KIP-183, KIP-460): the preferred replica leads again, or any that serves where none leads. */
export const electLeaders = handler({
  request: ElectLeadersRequest,
  response: ElectLeadersResponse,
  versions: [0, 2],

  handle(context, request) {
    checkHasTime(request.timeoutMs, () => request.topicPartitions?.length !== 0);
    return context.broker.controller.electLeaders(request);
  },

  failed: (request, errorCode, errorMessage, apiVersion) => ({
    errorCode: apiVersion >= WHOLE_SINCE ? errorCode : 0,
    replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
    })),
  }),
});
