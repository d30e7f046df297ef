import { array, arrayOf, int16, int32, request, response, string } from '../schema.ts';

export const DeleteGroupsRequest = request(
  { name: 'DeleteGroupsRequest', apiKey: 42, versions: '0-2', flexible: '2+', listeners: ['broker'] },
  {
    groupsNames: arrayOf('0+', 'string'),
  },
);

export const DeleteGroupsResponse = response(
  { name: 'DeleteGroupsResponse', apiKey: 42, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      groupId: string('0+'),
      errorCode: int16('0+'),
    }),
  },
);
