import { bytes, int8, int32, metadata, string } from '../schema.ts';

export const UserScramCredentialRecord = metadata(
  { name: 'UserScramCredentialRecord', apiKey: 11, versions: '0', flexible: '0+' },
  {
    name: string('0+'),
    mechanism: int8('0+'),
    salt: bytes('0+'),
    storedKey: bytes('0+'),
    serverKey: bytes('0+'),
    iterations: int32('0+'),
  },
);
