import { array, arrayOf, coordinatorKey, coordinatorValue, int8, int32, string, uuid } from '../schema.ts';

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: arrayOf('0+', 'int32'),
};

export const ShareGroupCurrentMemberAssignmentKey = coordinatorKey(
  { name: 'ShareGroupCurrentMemberAssignmentKey', apiKey: 14, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);

export const ShareGroupCurrentMemberAssignmentValue = coordinatorValue(
  { name: 'ShareGroupCurrentMemberAssignmentValue', apiKey: 14, versions: '0', flexible: '0+' },
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
  },
);
