import { array, arrayOf, int16, int32, int64, request, response, string } from '../schema.ts';

export const DescribeTransactionsRequest = request(
  { name: 'DescribeTransactionsRequest', apiKey: 65, versions: '0', flexible: '0+', listeners: ['broker'] },
  {
    transactionalIds: arrayOf('0+', 'string'),
  },
);

export const DescribeTransactionsResponse = response(
  { name: 'DescribeTransactionsResponse', apiKey: 65, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    transactionStates: array('0+', {
      errorCode: int16('0+'),
      transactionalId: string('0+'),
      transactionState: string('0+'),
      transactionTimeoutMs: int32('0+'),
      transactionStartTimeMs: int64('0+'),
      producerId: int64('0+'),
      producerEpoch: int16('0+'),
      topics: array('0+', {
        topic: string('0+'),
        partitions: arrayOf('0+', 'int32'),
      }),
    }),
  },
);
