import { ErrorCode } from '../../protocol/errors.ts';
import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts';
import { handler } from './handler.ts';

/** From then on a member must say what it takes for the group's strategy (KIP-559). */
const PROTOCOL_VERSION = 5;

/** SyncGroup: the leader brings the assignments, and every member gets its own. */
export const syncGroup = handler({
  request: SyncGroupRequest,
  response: SyncGroupResponse,
  versions: [0, 5],

  handle(context, request) {
    const saysProtocol = request.protocolType !== null && request.protocolName !== null;
    if (context.apiVersion >= PROTOCOL_VERSION && !saysProtocol) {
      return { errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL };
    }
    return context.broker.groups.classic.syncGroup(request);
  },

  failed: (_request, errorCode) => ({ errorCode }),
});
