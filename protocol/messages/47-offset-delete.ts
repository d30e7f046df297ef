import { array, int16, int32, request, response, string } from '../schema.ts';

export const OffsetDeleteRequest = request(
  { name: 'OffsetDeleteRequest', apiKey: 47, versions: '0', flexible: 'none', listeners: ['broker'] },
  {
    groupId: string('0+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  },
);

export const OffsetDeleteResponse = response(
  { name: 'OffsetDeleteResponse', apiKey: 47, versions: '0', flexible: 'none' },
  {
    errorCode: int16('0+'),
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
);
