import { array, arrayOf, bool, int16, int32, request, response, string } from '../schema.ts';

export const CreatePartitionsRequest = request(
  { name: 'CreatePartitionsRequest', apiKey: 37, versions: '0-3', flexible: '2+', listeners: ['broker', 'controller'] },
  {
    topics: array('0+', {
      name: string('0+'),
      count: int32('0+'),
      assignments: array(
        '0+',
        {
          brokerIds: arrayOf('0+', 'int32'),
        },
        { nullable: '0+' },
      ),
    }),
    timeoutMs: int32('0+'),
    validateOnly: bool('0+'),
  },
);

export const CreatePartitionsResponse = response(
  { name: 'CreatePartitionsResponse', apiKey: 37, versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      name: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
);
