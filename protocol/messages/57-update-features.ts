import { array, bool, int8, int16, int32, request, response, string } from '../schema.ts';

export const UpdateFeaturesRequest = request(
  { name: 'UpdateFeaturesRequest', apiKey: 57, versions: '0-2', flexible: '0+', listeners: ['broker', 'controller'] },
  {
    timeoutMs: int32('0+', { default: 60000 }),
    featureUpdates: array('0+', {
      feature: string('0+'),
      maxVersionLevel: int16('0+'),
      allowDowngrade: bool('0'),
      upgradeType: int8('1+', { default: 1 }),
    }),
    validateOnly: bool('1+'),
  },
);

export const UpdateFeaturesResponse = response(
  { name: 'UpdateFeaturesResponse', apiKey: 57, versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array(
      '0-1',
      {
        feature: string('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      },
      { ignorable: true },
    ),
  },
);
