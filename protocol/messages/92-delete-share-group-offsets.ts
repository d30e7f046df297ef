import { array, int16, int32, request, response, string, uuid } from '../schema.ts';

export const DeleteShareGroupOffsetsRequest = request(
  { name: 'DeleteShareGroupOffsetsRequest', apiKey: 92, versions: '0', flexible: '0+', listeners: ['broker'] },
  {
    groupId: string('0+'),
    topics: array('0+', {
      topicName: string('0+'),
    }),
  },
);

export const DeleteShareGroupOffsetsResponse = response(
  { name: 'DeleteShareGroupOffsetsResponse', apiKey: 92, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    responses: array('0+', {
      topicName: string('0+'),
      topicId: uuid('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
);
