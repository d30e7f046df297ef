import { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts';
import { handler } from './handler.ts';

/** ListTransactions (KIP-664): the transactional ids that this broker coordinates. */
export const listTransactions = handler({
  request: ListTransactionsRequest,
  response: ListTransactionsResponse,
  versions: [0, 2],
  handle: ({ broker }, request) => broker.transactions.listTransactions(request),
  failed: (_request, errorCode) => ({ errorCode }),
});
