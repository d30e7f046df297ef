import { array, int8, int16, int32, request, response, string } from '../schema.ts';

export const CreateAclsRequest = request(
  { name: 'CreateAclsRequest', apiKey: 30, versions: '1-3', flexible: '2+', listeners: ['broker', 'controller'] },
  {
    creations: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      resourcePatternType: int8('1+', { default: 3 }),
      principal: string('0+'),
      host: string('0+'),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  },
);

export const CreateAclsResponse = response(
  { name: 'CreateAclsResponse', apiKey: 30, versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
    }),
  },
);
