import { arrayOf, bool, int16, int32, int64, request, response } from '../schema.ts';

export const BrokerHeartbeatRequest = request(
  { name: 'BrokerHeartbeatRequest', apiKey: 63, versions: '0-2', flexible: '0+', listeners: ['controller'] },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    currentMetadataOffset: int64('0+'),
    wantFence: bool('0+'),
    wantShutDown: bool('0+'),
    offlineLogDirs: arrayOf('1+', 'uuid', { tag: 0, tagged: '1+' }),
    cordonedLogDirs: arrayOf('2+', 'uuid', { nullable: '2+', default: null, tag: 1, tagged: '2+' }),
  },
);

export const BrokerHeartbeatResponse = response(
  { name: 'BrokerHeartbeatResponse', apiKey: 63, versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    isCaughtUp: bool('0+'),
    isFenced: bool('0+', { default: true }),
    shouldShutDown: bool('0+'),
  },
);
