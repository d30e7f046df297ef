import { array, bool, float64, metadata, string } from '../schema.ts';

export const ClientQuotaRecord = metadata(
  { name: 'ClientQuotaRecord', apiKey: 14, versions: '0', flexible: '0+' },
  {
    entity: array('0+', {
      entityType: string('0+'),
      entityName: string('0+', { nullable: '0+' }),
    }),
    key: string('0+'),
    value: float64('0+'),
    remove: bool('0+'),
  },
);
