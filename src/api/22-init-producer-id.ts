import { ErrorCode } from '../../protocol/errors.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import { andThen } from '../coordinator/eventually.ts';
import { handler } from './handler.ts';
import { fencedAs } from './producer-fenced.ts';

/** From then on clients know PRODUCER_FENCED (KIP-588). */
const PRODUCER_FENCED_VERSION = 4;

/**
 * InitProducerId (KIP-98): without a transactional id a fresh producer id, epoch 0; with one the transaction coordinator says who
 * the producer is, and shuts out whoever was it before.
 */
export const initProducerId = handler({
  request: InitProducerIdRequest,
  response: InitProducerIdResponse,
  // version 6 (KIP-939) is not stable in Kafka 4.3 and not advertised there either
  versions: [0, 5],

  handle({ broker, apiVersion }, request) {
    const { transactionalId, producerId, producerEpoch, transactionTimeoutMs: timeoutMs } = request;
    if ((producerId === -1) !== (producerEpoch === -1)) return refused(ErrorCode.INVALID_REQUEST);
    if (transactionalId === null) {
      return broker.producerIds.next().then((next) => ({ producerId: next, producerEpoch: 0 }));
    }
    const expected = producerId === -1 ? null : { producerId, producerEpoch };
    const initialized = broker.transactions.initProducerId({ transactionalId, timeoutMs, expected });
    return andThen(initialized, fencedAs(apiVersion, PRODUCER_FENCED_VERSION));
  },

  failed: (_request, errorCode) => refused(errorCode),
});

const refused = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 });
