import { arrayOf, coordinatorKey, coordinatorValue, string } from '../schema.ts';

export const ShareGroupMemberMetadataKey = coordinatorKey(
  { name: 'ShareGroupMemberMetadataKey', apiKey: 10, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);

export const ShareGroupMemberMetadataValue = coordinatorValue(
  { name: 'ShareGroupMemberMetadataValue', apiKey: 10, versions: '0', flexible: '0+' },
  {
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: arrayOf('0+', 'string'),
  },
);
