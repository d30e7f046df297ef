import { arrayOf, int8, int32, metadata, uuid } from '../schema.ts';

export const PartitionRecord = metadata(
  { name: 'PartitionRecord', apiKey: 3, versions: '0-2', flexible: '0+' },
  {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    replicas: arrayOf('0+', 'int32'),
    isr: arrayOf('0+', 'int32'),
    removingReplicas: arrayOf('0+', 'int32'),
    addingReplicas: arrayOf('0+', 'int32'),
    leader: int32('0+', { default: -1 }),
    leaderRecoveryState: int8('0+', { tag: 0, tagged: '0+' }),
    leaderEpoch: int32('0+', { default: -1 }),
    partitionEpoch: int32('0+', { default: -1 }),
    directories: arrayOf('1+', 'uuid'),
    eligibleLeaderReplicas: arrayOf('2+', 'int32', { nullable: '2+', default: null, tag: 1, tagged: '2+' }),
    lastKnownElr: arrayOf('2+', 'int32', { nullable: '2+', default: null, tag: 2, tagged: '2+' }),
  },
);
