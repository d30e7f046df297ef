import { metadata, string } from '../schema.ts';

export const AbortTransactionRecord = metadata(
  { name: 'AbortTransactionRecord', apiKey: 25, versions: '0', flexible: '0+' },
  {
    reason: string('0+', { nullable: '0+', default: null, tag: 0, tagged: '0+' }),
  },
);
