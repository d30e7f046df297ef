import { array, arrayOf, coordinatorKey, coordinatorValue, int8, int32, string, uuid } from '../schema.ts';

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: arrayOf('0+', 'int32'),
  assignmentEpochs: arrayOf('0+', 'int32', { nullable: '0+', tag: 0, tagged: '0+' }),
};

export const ConsumerGroupCurrentMemberAssignmentKey = coordinatorKey(
  { name: 'ConsumerGroupCurrentMemberAssignmentKey', apiKey: 8, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);

export const ConsumerGroupCurrentMemberAssignmentValue = coordinatorValue(
  { name: 'ConsumerGroupCurrentMemberAssignmentValue', apiKey: 8, versions: '0', flexible: '0+' },
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
    partitionsPendingRevocation: array('0+', topicPartitions),
  },
);
