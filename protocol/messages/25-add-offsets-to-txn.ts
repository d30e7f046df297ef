import { int16, int32, int64, request, response, string } from '../schema.ts';

export const AddOffsetsToTxnRequest = request(
  { name: 'AddOffsetsToTxnRequest', apiKey: 25, versions: '0-4', flexible: '3+', listeners: ['broker'] },
  {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    groupId: string('0+'),
  },
);

export const AddOffsetsToTxnResponse = response(
  { name: 'AddOffsetsToTxnResponse', apiKey: 25, versions: '0-4', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
);
