import { array, int8, int16, int32, request, response, string } from '../schema.ts';

export const DescribeUserScramCredentialsRequest = request(
  {
    name: 'DescribeUserScramCredentialsRequest',
    apiKey: 50,
    versions: '0',
    flexible: '0+',
    listeners: ['broker', 'controller'],
  },
  {
    users: array(
      '0+',
      {
        name: string('0+'),
      },
      { nullable: '0+' },
    ),
  },
);

export const DescribeUserScramCredentialsResponse = response(
  { name: 'DescribeUserScramCredentialsResponse', apiKey: 50, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array('0+', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      credentialInfos: array('0+', {
        mechanism: int8('0+'),
        iterations: int32('0+'),
      }),
    }),
  },
);
