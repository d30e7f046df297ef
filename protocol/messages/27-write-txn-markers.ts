import { array, arrayOf, bool, int8, int16, int32, int64, request, response, string } from '../schema.ts';

export const WriteTxnMarkersRequest = request(
  { name: 'WriteTxnMarkersRequest', apiKey: 27, versions: '1-2', flexible: '1+', listeners: ['broker'] },
  {
    markers: array('0+', {
      producerId: int64('0+'),
      producerEpoch: int16('0+'),
      transactionResult: bool('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitionIndexes: arrayOf('0+', 'int32'),
      }),
      coordinatorEpoch: int32('0+'),
      transactionVersion: int8('2+', { ignorable: true }),
    }),
  },
);

export const WriteTxnMarkersResponse = response(
  { name: 'WriteTxnMarkersResponse', apiKey: 27, versions: '1-2', flexible: '1+' },
  {
    markers: array('0+', {
      producerId: int64('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
        }),
      }),
    }),
  },
);
