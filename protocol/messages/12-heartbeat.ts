import { int16, int32, request, response, string } from '../schema.ts';

export const HeartbeatRequest = request(
  { name: 'HeartbeatRequest', apiKey: 12, versions: '0-4', flexible: '4+', listeners: ['broker'] },
  {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
  },
);

export const HeartbeatResponse = response(
  { name: 'HeartbeatResponse', apiKey: 12, versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
  },
);
