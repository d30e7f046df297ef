import { arrayOf, int8, int32, int64, metadata } from '../schema.ts';

export const BrokerRegistrationChangeRecord = metadata(
  { name: 'BrokerRegistrationChangeRecord', apiKey: 17, versions: '0-3', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
    fenced: int8('0+', { tag: 0, tagged: '0+' }),
    inControlledShutdown: int8('1+', { tag: 1, tagged: '1+' }),
    logDirs: arrayOf('2+', 'uuid', { tag: 2, tagged: '2+' }),
    cordonedLogDirs: arrayOf('3+', 'uuid', { nullable: '3+', default: null, tag: 3, tagged: '3+' }),
  },
);
