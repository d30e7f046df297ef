import { int8, metadata, string } from '../schema.ts';

export const RemoveUserScramCredentialRecord = metadata(
  { name: 'RemoveUserScramCredentialRecord', apiKey: 22, versions: '0', flexible: '0+' },
  {
    name: string('0+'),
    mechanism: int8('0+'),
  },
);
