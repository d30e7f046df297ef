import { bool, int16, int32, int64, request, response, string } from '../schema.ts';

export const InitProducerIdRequest = request(
  {
    name: 'InitProducerIdRequest',
    apiKey: 22,
    versions: '0-6',
    flexible: '2+',
    listeners: ['broker'],
    latestVersionUnstable: true,
  },
  {
    transactionalId: string('0+', { nullable: '0+' }),
    transactionTimeoutMs: int32('0+'),
    producerId: int64('3+', { default: -1 }),
    producerEpoch: int16('3+', { default: -1 }),
    enable2Pc: bool('6+'),
    keepPreparedTxn: bool('6+'),
  },
);

export const InitProducerIdResponse = response(
  { name: 'InitProducerIdResponse', apiKey: 22, versions: '0-6', flexible: '2+' },
  {
    throttleTimeMs: int32('0+', { ignorable: true }),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1 }),
    producerEpoch: int16('0+'),
    ongoingTxnProducerId: int64('6+', { default: -1 }),
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }),
  },
);
