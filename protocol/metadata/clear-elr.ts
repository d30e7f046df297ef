import { metadata, string } from '../schema.ts';

export const ClearElrRecord = metadata(
  { name: 'ClearElrRecord', apiKey: 28, versions: '0', flexible: '0+' },
  {
    topicName: string('0+'),
  },
);
