import { array, arrayOf, bytes, coordinatorKey, coordinatorValue, int32, string, struct } from '../schema.ts';

export const ConsumerGroupMemberMetadataKey = coordinatorKey(
  { name: 'ConsumerGroupMemberMetadataKey', apiKey: 5, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);

export const ConsumerGroupMemberMetadataValue = coordinatorValue(
  { name: 'ConsumerGroupMemberMetadataValue', apiKey: 5, versions: '0', flexible: '0+' },
  {
    instanceId: string('0+', { nullable: '0+' }),
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: arrayOf('0+', 'string'),
    subscribedTopicRegex: string('0+', { nullable: '0+' }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    serverAssignor: string('0+', { nullable: '0+' }),
    classicMemberMetadata: struct(
      '0+',
      {
        sessionTimeoutMs: int32('0+'),
        supportedProtocols: array('0+', {
          name: string('0+'),
          metadata: bytes('0+'),
        }),
      },
      { nullable: '0+', tag: 0, tagged: '0+' },
    ),
  },
);
