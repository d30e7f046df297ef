import { array, arrayOf, coordinatorKey, coordinatorValue, string, uuid } from '../schema.ts';

export const ShareGroupTargetAssignmentMemberKey = coordinatorKey(
  { name: 'ShareGroupTargetAssignmentMemberKey', apiKey: 13, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);

export const ShareGroupTargetAssignmentMemberValue = coordinatorValue(
  { name: 'ShareGroupTargetAssignmentMemberValue', apiKey: 13, versions: '0', flexible: '0+' },
  {
    topicPartitions: array('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', 'int32'),
    }),
  },
);
