import { arrayOf, int8, int32, metadata, uuid } from '../schema.ts';

export const PartitionChangeRecord = metadata(
  { name: 'PartitionChangeRecord', apiKey: 5, versions: '0-2', flexible: '0+' },
  {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    isr: arrayOf('0+', 'int32', { nullable: '0+', default: null, tag: 0, tagged: '0+' }),
    leader: int32('0+', { default: -2, tag: 1, tagged: '0+' }),
    replicas: arrayOf('0+', 'int32', { nullable: '0+', default: null, tag: 2, tagged: '0+' }),
    removingReplicas: arrayOf('0+', 'int32', { nullable: '0+', default: null, tag: 3, tagged: '0+' }),
    addingReplicas: arrayOf('0+', 'int32', { nullable: '0+', default: null, tag: 4, tagged: '0+' }),
    leaderRecoveryState: int8('0+', { default: -1, tag: 5, tagged: '0+' }),
    directories: arrayOf('1+', 'uuid', { nullable: '1+', default: null, tag: 8, tagged: '1+' }),
    eligibleLeaderReplicas: arrayOf('2+', 'int32', { nullable: '2+', default: null, tag: 6, tagged: '2+' }),
    lastKnownElr: arrayOf('2+', 'int32', { nullable: '2+', default: null, tag: 7, tagged: '2+' }),
  },
);
