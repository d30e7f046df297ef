import { metadata, string } from '../schema.ts';

export const RemoveDelegationTokenRecord = metadata(
  { name: 'RemoveDelegationTokenRecord', apiKey: 26, versions: '0', flexible: '0+' },
  {
    tokenId: string('0+'),
  },
);
