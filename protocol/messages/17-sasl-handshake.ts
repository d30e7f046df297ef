import { arrayOf, int16, request, response, string } from '../schema.ts';

export const SaslHandshakeRequest = request(
  { name: 'SaslHandshakeRequest', apiKey: 17, versions: '0-1', flexible: 'none', listeners: ['broker', 'controller'] },
  {
    mechanism: string('0+'),
  },
);

export const SaslHandshakeResponse = response(
  { name: 'SaslHandshakeResponse', apiKey: 17, versions: '0-1', flexible: 'none' },
  {
    errorCode: int16('0+'),
    mechanisms: arrayOf('0+', 'string'),
  },
);
