import { bytes, int16, int64, request, response, string } from '../schema.ts';

export const SaslAuthenticateRequest = request(
  { name: 'SaslAuthenticateRequest', apiKey: 36, versions: '0-2', flexible: '2+', listeners: ['broker', 'controller'] },
  {
    authBytes: bytes('0+'),
  },
);

export const SaslAuthenticateResponse = response(
  { name: 'SaslAuthenticateResponse', apiKey: 36, versions: '0-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { ignorable: true }),
  },
);
