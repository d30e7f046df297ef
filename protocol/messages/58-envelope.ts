import { bytes, int16, request, response } from '../schema.ts';

export const EnvelopeRequest = request(
  { name: 'EnvelopeRequest', apiKey: 58, versions: '0', flexible: '0+', listeners: ['controller'] },
  {
    requestData: bytes('0+'),
    requestPrincipal: bytes('0+', { nullable: '0+' }),
    clientHostAddress: bytes('0+'),
  },
);

export const EnvelopeResponse = response(
  { name: 'EnvelopeResponse', apiKey: 58, versions: '0', flexible: '0+' },
  {
    responseData: bytes('0+', { nullable: '0+', default: null }),
    errorCode: int16('0+'),
  },
);
