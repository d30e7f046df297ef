import { int8, metadata } from '../schema.ts';

export const ZkMigrationStateRecord = metadata(
  { name: 'ZkMigrationStateRecord', apiKey: 21, versions: '0', flexible: '0+' },
  {
    zkMigrationState: int8('0+'),
  },
);
