import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts';
import { handler } from './handler.ts';

/** Heartbeat: a member of a classic group lives; it learns of a rebalance here. */
export const heartbeat = handler({
  request: HeartbeatRequest,
  response: HeartbeatResponse,
  versions: [0, 4],
  handle: (context, request) => context.broker.groups.classic.heartbeat(request),
  failed: (_request, errorCode) => ({ errorCode }),
});
