import { bool, int16, int32, int64, request, response, string } from '../schema.ts';

export const EndTxnRequest = request(
  { name: 'EndTxnRequest', apiKey: 26, versions: '0-5', flexible: '3+', listeners: ['broker'] },
  {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    committed: bool('0+'),
  },
);

export const EndTxnResponse = response(
  { name: 'EndTxnResponse', apiKey: 26, versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('5+', { default: -1, ignorable: true }),
    producerEpoch: int16('5+', { default: -1, ignorable: true }),
  },
);
