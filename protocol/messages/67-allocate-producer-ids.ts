import { int16, int32, int64, request, response } from '../schema.ts';

export const AllocateProducerIdsRequest = request(
  { name: 'AllocateProducerIdsRequest', apiKey: 67, versions: '0', flexible: '0+', listeners: ['controller'] },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
  },
);

export const AllocateProducerIdsResponse = response(
  { name: 'AllocateProducerIdsResponse', apiKey: 67, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerIdStart: int64('0+'),
    producerIdLen: int32('0+'),
  },
);
