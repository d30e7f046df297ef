import { array, arrayOf, bool, int16, int32, int64, metadata, string, uint16, uuid } from '../schema.ts';

export const RegisterBrokerRecord = metadata(
  { name: 'RegisterBrokerRecord', apiKey: 0, versions: '0-4', flexible: '0+' },
  {
    brokerId: int32('0+'),
    isMigratingZkBroker: bool('2+'),
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: array('0+', {
      name: string('0+'),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: array('0+', {
      name: string('0+'),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
    rack: string('0+', { nullable: '0+' }),
    fenced: bool('0+', { default: true }),
    inControlledShutdown: bool('1+'),
    logDirs: arrayOf('3+', 'uuid', { tag: 0, tagged: '3+' }),
    cordonedLogDirs: arrayOf('4+', 'uuid', { nullable: '4+', default: null, tag: 1, tagged: '4+' }),
  },
);
