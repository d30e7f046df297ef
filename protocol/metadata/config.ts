import { int8, metadata, string } from '../schema.ts';

export const ConfigRecord = metadata(
  { name: 'ConfigRecord', apiKey: 4, versions: '0', flexible: '0+' },
  {
    resourceType: int8('0+'),
    resourceName: string('0+'),
    name: string('0+'),
    value: string('0+', { nullable: '0+' }),
  },
);
