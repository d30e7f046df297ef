import { metadata, uuid } from '../schema.ts';

export const RemoveTopicRecord = metadata(
  { name: 'RemoveTopicRecord', apiKey: 9, versions: '0', flexible: '0+' },
  {
    topicId: uuid('0+'),
  },
);
