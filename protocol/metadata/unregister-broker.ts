import { int32, int64, metadata } from '../schema.ts';

export const UnregisterBrokerRecord = metadata(
  { name: 'UnregisterBrokerRecord', apiKey: 1, versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
  },
);
