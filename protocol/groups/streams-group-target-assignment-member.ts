import { array, arrayOf, coordinatorKey, coordinatorValue, string } from '../schema.ts';

const taskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', 'int32'),
};

export const StreamsGroupTargetAssignmentMemberKey = coordinatorKey(
  { name: 'StreamsGroupTargetAssignmentMemberKey', apiKey: 21, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);

export const StreamsGroupTargetAssignmentMemberValue = coordinatorValue(
  { name: 'StreamsGroupTargetAssignmentMemberValue', apiKey: 21, versions: '0', flexible: '0+' },
  {
    activeTasks: array('0+', taskIds),
    standbyTasks: array('0+', taskIds),
    warmupTasks: array('0+', taskIds),
  },
);
