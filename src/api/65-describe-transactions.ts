import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts';
import { handler } from './handler.ts';

/** DescribeTransactions (KIP-664): what the coordinator knows of transactional ids. */
export const describeTransactions = handler({
  request: DescribeTransactionsRequest,
  response: DescribeTransactionsResponse,
  versions: [0, 0],

  handle: ({ broker }, { transactionalIds }) => ({
    transactionStates: transactionalIds.map((id) => broker.transactions.describeTransaction(id)),
  }),

  failed: ({ transactionalIds }, errorCode) => ({
    transactionStates: transactionalIds.map((transactionalId) => ({ transactionalId, errorCode })),
  }),
});
