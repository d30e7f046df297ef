import { array, arrayOf, int16, int32, request, response, string } from '../schema.ts';

export const ListGroupsRequest = request(
  { name: 'ListGroupsRequest', apiKey: 16, versions: '0-5', flexible: '3+', listeners: ['broker'] },
  {
    statesFilter: arrayOf('4+', 'string'),
    typesFilter: arrayOf('5+', 'string'),
  },
);

export const ListGroupsResponse = response(
  { name: 'ListGroupsResponse', apiKey: 16, versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    groups: array('0+', {
      groupId: string('0+'),
      protocolType: string('0+'),
      groupState: string('4+', { ignorable: true }),
      groupType: string('5+', { ignorable: true }),
    }),
  },
);
