import { array, int16, int32, request, response, string } from '../schema.ts';

export const LeaveGroupRequest = request(
  { name: 'LeaveGroupRequest', apiKey: 13, versions: '0-5', flexible: '4+', listeners: ['broker'] },
  {
    groupId: string('0+'),
    memberId: string('0-2'),
    members: array('3+', {
      memberId: string('3+'),
      groupInstanceId: string('3+', { nullable: '3+', default: null }),
      reason: string('5+', { nullable: '5+', default: null, ignorable: true }),
    }),
  },
);

export const LeaveGroupResponse = response(
  { name: 'LeaveGroupResponse', apiKey: 13, versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    members: array('3+', {
      memberId: string('3+'),
      groupInstanceId: string('3+', { nullable: '3+' }),
      errorCode: int16('3+'),
    }),
  },
);
