import { metadata, string, uuid } from '../schema.ts';

export const TopicRecord = metadata(
  { name: 'TopicRecord', apiKey: 2, versions: '0', flexible: '0+' },
  {
    name: string('0+'),
    topicId: uuid('0+'),
  },
);
