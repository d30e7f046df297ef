import { int16, metadata, string } from '../schema.ts';

export const FeatureLevelRecord = metadata(
  { name: 'FeatureLevelRecord', apiKey: 12, versions: '0', flexible: '0+' },
  {
    name: string('0+'),
    featureLevel: int16('0+'),
  },
);
