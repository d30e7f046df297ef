import { array, arrayOf, int16, int32, request, response, string } from '../schema.ts';

export const AlterReplicaLogDirsRequest = request(
  { name: 'AlterReplicaLogDirsRequest', apiKey: 34, versions: '1-2', flexible: '2+', listeners: ['broker'] },
  {
    dirs: array('0+', {
      path: string('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitions: arrayOf('0+', 'int32'),
      }),
    }),
  },
);

export const AlterReplicaLogDirsResponse = response(
  { name: 'AlterReplicaLogDirsResponse', apiKey: 34, versions: '1-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      topicName: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
);
