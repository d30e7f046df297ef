import { int16, int32, request, response, string } from '../schema.ts';

export const UnregisterBrokerRequest = request(
  { name: 'UnregisterBrokerRequest', apiKey: 64, versions: '0', flexible: '0+', listeners: ['broker', 'controller'] },
  {
    brokerId: int32('0+'),
  },
);

export const UnregisterBrokerResponse = response(
  { name: 'UnregisterBrokerResponse', apiKey: 64, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  },
);
