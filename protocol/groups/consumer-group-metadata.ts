import { coordinatorKey, coordinatorValue, int32, int64, string } from '../schema.ts';

export const ConsumerGroupMetadataKey = coordinatorKey(
  { name: 'ConsumerGroupMetadataKey', apiKey: 3, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);

export const ConsumerGroupMetadataValue = coordinatorValue(
  { name: 'ConsumerGroupMetadataValue', apiKey: 3, versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    metadataHash: int64('0+', { tag: 0, tagged: '0+' }),
  },
);
