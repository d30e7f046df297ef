import { coordinatorKey, coordinatorValue, int32, int64, string } from '../schema.ts';

export const ShareGroupMetadataKey = coordinatorKey(
  { name: 'ShareGroupMetadataKey', apiKey: 11, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);

export const ShareGroupMetadataValue = coordinatorValue(
  { name: 'ShareGroupMetadataValue', apiKey: 11, versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    metadataHash: int64('0+'),
  },
);
