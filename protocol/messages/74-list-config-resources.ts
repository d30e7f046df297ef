import { array, arrayOf, int8, int16, int32, request, response, string } from '../schema.ts';

export const ListConfigResourcesRequest = request(
  { name: 'ListConfigResourcesRequest', apiKey: 74, versions: '0-1', flexible: '0+', listeners: ['broker'] },
  {
    resourceTypes: arrayOf('1+', 'int8'),
  },
);

export const ListConfigResourcesResponse = response(
  { name: 'ListConfigResourcesResponse', apiKey: 74, versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    configResources: array('0+', {
      resourceName: string('0+'),
      resourceType: int8('1+', { default: 16, ignorable: true }),
    }),
  },
);
