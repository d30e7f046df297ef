import { array, arrayOf, int16, int32, int64, request, response, string } from '../schema.ts';

export const ListTransactionsRequest = request(
  { name: 'ListTransactionsRequest', apiKey: 66, versions: '0-2', flexible: '0+', listeners: ['broker'] },
  {
    stateFilters: arrayOf('0+', 'string'),
    producerIdFilters: arrayOf('0+', 'int64'),
    durationFilter: int64('1+', { default: -1 }),
    transactionalIdPattern: string('2+', { nullable: '2+', default: null }),
  },
);

export const ListTransactionsResponse = response(
  { name: 'ListTransactionsResponse', apiKey: 66, versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    unknownStateFilters: arrayOf('0+', 'string'),
    transactionStates: array('0+', {
      transactionalId: string('0+'),
      producerId: int64('0+'),
      transactionState: string('0+'),
    }),
  },
);
