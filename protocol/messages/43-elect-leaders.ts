import { array, arrayOf, int8, int16, int32, request, response, string } from '../schema.ts';

export const ElectLeadersRequest = request(
  { name: 'ElectLeadersRequest', apiKey: 43, versions: '0-2', flexible: '2+', listeners: ['broker', 'controller'] },
  {
    electionType: int8('1+'),
    topicPartitions: array(
      '0+',
      {
        topic: string('0+'),
        partitions: arrayOf('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    timeoutMs: int32('0+', { default: 60000 }),
  },
);

export const ElectLeadersResponse = response(
  { name: 'ElectLeadersResponse', apiKey: 43, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('1+'),
    replicaElectionResults: array('0+', {
      topic: string('0+'),
      partitionResult: array('0+', {
        partitionId: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  },
);
