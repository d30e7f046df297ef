import { array, arrayOf, int16, int32, request, response, string } from '../schema.ts';

export const ListPartitionReassignmentsRequest = request(
  {
    name: 'ListPartitionReassignmentsRequest',
    apiKey: 46,
    versions: '0',
    flexible: '0+',
    listeners: ['broker', 'controller'],
  },
  {
    timeoutMs: int32('0+', { default: 60000 }),
    topics: array(
      '0+',
      {
        name: string('0+'),
        partitionIndexes: arrayOf('0+', 'int32'),
      },
      { nullable: '0+', default: null },
    ),
  },
);

export const ListPartitionReassignmentsResponse = response(
  { name: 'ListPartitionReassignmentsResponse', apiKey: 46, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicas: arrayOf('0+', 'int32'),
        addingReplicas: arrayOf('0+', 'int32'),
        removingReplicas: arrayOf('0+', 'int32'),
      }),
    }),
  },
);
