import { array, bool, int8, int16, int32, request, response, string } from '../schema.ts';

export const IncrementalAlterConfigsRequest = request(
  {
    name: 'IncrementalAlterConfigsRequest',
    apiKey: 44,
    versions: '0-1',
    flexible: '1+',
    listeners: ['broker', 'controller'],
  },
  {
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: array('0+', {
        name: string('0+'),
        configOperation: int8('0+'),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: bool('0+'),
  },
);

export const IncrementalAlterConfigsResponse = response(
  { name: 'IncrementalAlterConfigsResponse', apiKey: 44, versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    responses: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
    }),
  },
);
