import { int32, int64, metadata } from '../schema.ts';

export const UnfenceBrokerRecord = metadata(
  { name: 'UnfenceBrokerRecord', apiKey: 8, versions: '0', flexible: '0+' },
  {
    id: int32('0+'),
    epoch: int64('0+'),
  },
);
