import { int16, int32, request, response, string, uuid } from '../schema.ts';

export const RemoveRaftVoterRequest = request(
  { name: 'RemoveRaftVoterRequest', apiKey: 81, versions: '0', flexible: '0+', listeners: ['controller', 'broker'] },
  {
    clusterId: string('0+', { nullable: '0+' }),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
  },
);

export const RemoveRaftVoterResponse = response(
  { name: 'RemoveRaftVoterResponse', apiKey: 81, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', ignorable: true }),
  },
);
