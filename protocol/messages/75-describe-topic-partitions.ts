import { array, arrayOf, bool, int16, int32, request, response, string, struct, uuid } from '../schema.ts';

export const DescribeTopicPartitionsRequest = request(
  { name: 'DescribeTopicPartitionsRequest', apiKey: 75, versions: '0', flexible: '0+', listeners: ['broker'] },
  {
    topics: array('0+', {
      name: string('0+'),
    }),
    responsePartitionLimit: int32('0+', { default: 2000 }),
    cursor: struct(
      '0+',
      {
        topicName: string('0+'),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  },
);

export const DescribeTopicPartitionsResponse = response(
  { name: 'DescribeTopicPartitionsResponse', apiKey: 75, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: array('0+', {
      errorCode: int16('0+'),
      name: string('0+', { nullable: '0+' }),
      topicId: uuid('0+', { ignorable: true }),
      isInternal: bool('0+', { ignorable: true }),
      partitions: array('0+', {
        errorCode: int16('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+'),
        leaderEpoch: int32('0+', { default: -1, ignorable: true }),
        replicaNodes: arrayOf('0+', 'int32'),
        isrNodes: arrayOf('0+', 'int32'),
        eligibleLeaderReplicas: arrayOf('0+', 'int32', { nullable: '0+', default: null }),
        lastKnownElr: arrayOf('0+', 'int32', { nullable: '0+', default: null }),
        offlineReplicas: arrayOf('0+', 'int32', { ignorable: true }),
      }),
      topicAuthorizedOperations: int32('0+', { default: -2147483648 }),
    }),
    nextCursor: struct(
      '0+',
      {
        topicName: string('0+'),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  },
);
