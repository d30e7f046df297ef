import { ErrorCode } from '../../protocol/errors.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import { handler } from './handler.ts';

/**
 * InitProducerId for idempotent producers (KIP-98): a fresh producer id, epoch 0. With a transactional id it is the transaction
 * coordinator's work, which this broker does not have yet: the answer is that of FindCoordinator (docs/compatibility.md).
 */
export const initProducerId = handler({
  request: InitProducerIdRequest,
  response: InitProducerIdResponse,
  // version 6 (KIP-939) is not stable in Kafka 4.3 and not advertised there either
  versions: [0, 5],

  handle(context, request) {
    if (request.transactionalId === '') return { errorCode: ErrorCode.INVALID_REQUEST };
    if (request.transactionalId !== null) return { errorCode: ErrorCode.UNSUPPORTED_VERSION };
    return context.broker.producerIds.next().then((producerId) => ({ producerId, producerEpoch: 0 }));
  },

  failed: (_request, errorCode) => ({ errorCode }),
});
