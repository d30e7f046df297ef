import { metadata, string } from '../schema.ts';

export const BeginTransactionRecord = metadata(
  { name: 'BeginTransactionRecord', apiKey: 23, versions: '0', flexible: '0+' },
  {
    name: string('0+', { nullable: '0+', default: null, tag: 0, tagged: '0+' }),
  },
);
