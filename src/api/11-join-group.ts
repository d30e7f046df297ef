import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { andThen } from '../coordinator/eventually.ts';
import { callerOf } from './caller.ts';
import { handler } from './handler.ts';

/** From then on there is null where there is no strategy. */
const NULL_PROTOCOL_VERSION = 7;

/** JoinGroup: the response waits until the members of the group are complete, for the rebalance timeout at most. */
export const joinGroup = handler({
  request: JoinGroupRequest,
  response: JoinGroupResponse,
  // 0 and 1 are kept for librdkafka before 2.11 (KAFKA-19444)
  versions: [0, 9],

  handle(context, request) {
    return andThen(context.broker.groups.classic.joinGroup(callerOf(context), request), (response) => ({
      ...response,
      protocolName: response.protocolName || (context.apiVersion >= NULL_PROTOCOL_VERSION ? null : ''),
    }));
  },

  failed: (_request, errorCode) => ({ errorCode }),
});
