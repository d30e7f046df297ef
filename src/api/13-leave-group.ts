import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts';
import { andThen } from '../coordinator/eventually.ts';
import { handler } from './handler.ts';

/** From then on many members leave at once, each with its own result (KIP-345). */
const BATCH_VERSION = 3;

/** LeaveGroup: members leave, or are removed by an administrator. */
export const leaveGroup = handler({
  request: LeaveGroupRequest,
  response: LeaveGroupResponse,
  versions: [0, 5],

  handle(context, request) {
    const { groups } = context.broker;
    if (context.apiVersion >= BATCH_VERSION) return groups.classic.leaveGroup(request.groupId, request.members);
    const member = { memberId: request.memberId, groupInstanceId: null, reason: null };
    return andThen(groups.classic.leaveGroup(request.groupId, [member]), ({ errorCode, members }) => ({
      errorCode: errorCode || members?.[0]?.errorCode,
    }));
  },

  failed: (_request, errorCode) => ({ errorCode }),
});
