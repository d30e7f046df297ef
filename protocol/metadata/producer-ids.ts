import { int32, int64, metadata } from '../schema.ts';

export const ProducerIdsRecord = metadata(
  { name: 'ProducerIdsRecord', apiKey: 15, versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    nextProducerId: int64('0+'),
  },
);
