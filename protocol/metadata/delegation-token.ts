import { arrayOf, int64, metadata, string } from '../schema.ts';

export const DelegationTokenRecord = metadata(
  { name: 'DelegationTokenRecord', apiKey: 10, versions: '0', flexible: '0+' },
  {
    owner: string('0+'),
    requester: string('0+'),
    renewers: arrayOf('0+', 'string'),
    issueTimestamp: int64('0+'),
    maxTimestamp: int64('0+'),
    expirationTimestamp: int64('0+'),
    tokenId: string('0+'),
  },
);
