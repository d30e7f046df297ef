import { array, int16, int32, int64, request, response, uuid } from '../schema.ts';

export const AssignReplicasToDirsRequest = request(
  { name: 'AssignReplicasToDirsRequest', apiKey: 73, versions: '0', flexible: '0+', listeners: ['controller'] },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    directories: array('0+', {
      id: uuid('0+'),
      topics: array('0+', {
        topicId: uuid('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
        }),
      }),
    }),
  },
);

export const AssignReplicasToDirsResponse = response(
  { name: 'AssignReplicasToDirsResponse', apiKey: 73, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    directories: array('0+', {
      id: uuid('0+'),
      topics: array('0+', {
        topicId: uuid('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
        }),
      }),
    }),
  },
);
