import { array, arrayOf, int16, int32, request, response, string, struct, uuid } from '../schema.ts';

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: arrayOf('0+', 'int32'),
};

export const ShareGroupHeartbeatRequest = request(
  { name: 'ShareGroupHeartbeatRequest', apiKey: 76, versions: '1', flexible: '0+', listeners: ['broker'] },
  {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    rackId: string('0+', { nullable: '0+', default: null }),
    subscribedTopicNames: arrayOf('0+', 'string', { nullable: '0+', default: null }),
  },
);

export const ShareGroupHeartbeatResponse = response(
  { name: 'ShareGroupHeartbeatResponse', apiKey: 76, versions: '1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    memberId: string('0+', { nullable: '0+', default: null }),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    assignment: struct(
      '0+',
      {
        topicPartitions: array('0+', topicPartitions),
      },
      { nullable: '0+', default: null },
    ),
  },
);
