import { coordinatorKey, coordinatorValue, int32, int64, string } from '../schema.ts';

export const ShareGroupTargetAssignmentMetadataKey = coordinatorKey(
  { name: 'ShareGroupTargetAssignmentMetadataKey', apiKey: 12, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);

export const ShareGroupTargetAssignmentMetadataValue = coordinatorValue(
  { name: 'ShareGroupTargetAssignmentMetadataValue', apiKey: 12, versions: '0', flexible: '0+' },
  {
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { tag: 0, tagged: '0+', ignorable: true }),
  },
);
