import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts';
import { andThen } from '../coordinator/eventually.ts';
import { EPOCH_BUMP_VERSION } from '../transaction/coordinator/transaction-metadata.ts';
import { handler } from './handler.ts';
import { fencedAs } from './producer-fenced.ts';

const PRODUCER_FENCED_VERSION = 2;
/** From then on the producer goes on under the id and epoch of the response (KIP-890). */
const EPOCH_BUMP_API_VERSION = 5;

/** EndTxn: a transaction is committed or aborted. */
export const endTxn = handler({
  request: EndTxnRequest,
  response: EndTxnResponse,
  versions: [0, 5],

  handle({ broker, apiVersion }, { transactionalId, producerId, producerEpoch, committed }) {
    const ended = broker.transactions.endTransaction({
      transactionalId,
      producerId,
      producerEpoch,
      result: committed ? 'commit' : 'abort',
      clientTransactionVersion: apiVersion >= EPOCH_BUMP_API_VERSION ? EPOCH_BUMP_VERSION : 0,
    });
    return andThen(ended, fencedAs(apiVersion, PRODUCER_FENCED_VERSION));
  },

  failed: (_request, errorCode) => ({ errorCode }),
});
