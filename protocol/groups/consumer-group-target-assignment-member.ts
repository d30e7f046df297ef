import { array, arrayOf, coordinatorKey, coordinatorValue, string, uuid } from '../schema.ts';

export const ConsumerGroupTargetAssignmentMemberKey = coordinatorKey(
  { name: 'ConsumerGroupTargetAssignmentMemberKey', apiKey: 7, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);

export const ConsumerGroupTargetAssignmentMemberValue = coordinatorValue(
  { name: 'ConsumerGroupTargetAssignmentMemberValue', apiKey: 7, versions: '0', flexible: '0+' },
  {
    topicPartitions: array('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', 'int32'),
    }),
  },
);
