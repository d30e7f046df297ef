import { array, coordinatorKey, coordinatorValue, int32, int64, string } from '../schema.ts';

const lastAssignmentConfig = {
  key: string('0+'),
  value: string('0+'),
};

export const StreamsGroupMetadataKey = coordinatorKey(
  { name: 'StreamsGroupMetadataKey', apiKey: 17, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);

export const StreamsGroupMetadataValue = coordinatorValue(
  { name: 'StreamsGroupMetadataValue', apiKey: 17, versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    metadataHash: int64('0+'),
    validatedTopologyEpoch: int32('0+', { default: -1, tag: 0, tagged: '0+' }),
    lastAssignmentConfigs: array('0+', lastAssignmentConfig, { nullable: '0+', tag: 1, tagged: '0+' }),
  },
);
