import { ErrorCode } from '../../protocol/errors.ts';
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts';
import { callerOf } from './caller.ts';
import { servesConsumerGroups } from './group-protocols.ts';
import { handler } from './handler.ts';

/** ConsumerGroupHeartbeat (KIP-848): a member joins, stays or leaves, and is told what it is assigned. */
export const consumerGroupHeartbeat = handler({
  request: ConsumerGroupHeartbeatRequest,
  response: ConsumerGroupHeartbeatResponse,
  versions: [0, 1],

  handle(context, request) {
    if (!servesConsumerGroups(context.broker)) return { errorCode: ErrorCode.UNSUPPORTED_VERSION };
    return context.broker.groups.consumer.heartbeat(callerOf(context), request);
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
