import { array, arrayOf, coordinatorKey, coordinatorValue, int8, int32, string } from '../schema.ts';

const taskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', 'int32'),
  assignmentEpochs: arrayOf('0+', 'int32', { nullable: '0+', tag: 0, tagged: '0+' }),
};

export const StreamsGroupCurrentMemberAssignmentKey = coordinatorKey(
  { name: 'StreamsGroupCurrentMemberAssignmentKey', apiKey: 22, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);

export const StreamsGroupCurrentMemberAssignmentValue = coordinatorValue(
  { name: 'StreamsGroupCurrentMemberAssignmentValue', apiKey: 22, versions: '0', flexible: '0+' },
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    activeTasks: array('0+', taskIds),
    standbyTasks: array('0+', taskIds),
    warmupTasks: array('0+', taskIds),
    activeTasksPendingRevocation: array('0+', taskIds),
    standbyTasksPendingRevocation: array('0+', taskIds),
    warmupTasksPendingRevocation: array('0+', taskIds),
  },
);
