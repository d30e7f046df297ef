import {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../protocol/messages/76-share-group-heartbeat.ts';
import { callerOf } from './caller.ts';
import { handler } from './handler.ts';
import { hasShareGroups, SHARE_GROUPS_DISABLED } from './share-protocol.ts';

/** ShareGroupHeartbeat (KIP-932): members of share groups join, live, leave, and learn what they are to read. */
export const shareGroupHeartbeat = handler({
  request: ShareGroupHeartbeatRequest,
  response: ShareGroupHeartbeatResponse,
  versions: [1, 1],

  handle(context, request) {
    if (!hasShareGroups(context.broker)) return SHARE_GROUPS_DISABLED;
    return context.broker.groups.share.heartbeat(callerOf(context), request);
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
