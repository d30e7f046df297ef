import { metadata } from '../schema.ts';

export const EndTransactionRecord = metadata(
  { name: 'EndTransactionRecord', apiKey: 24, versions: '0', flexible: '0+' },
  {},
);
