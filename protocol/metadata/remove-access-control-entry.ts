import { metadata, uuid } from '../schema.ts';

export const RemoveAccessControlEntryRecord = metadata(
  { name: 'RemoveAccessControlEntryRecord', apiKey: 19, versions: '0', flexible: '0+' },
  {
    id: uuid('0+'),
  },
);
