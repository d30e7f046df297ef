import { bytes, int16, int32, int64, request, response } from '../schema.ts';

export const ExpireDelegationTokenRequest = request(
  {
    name: 'ExpireDelegationTokenRequest',
    apiKey: 40,
    versions: '1-2',
    flexible: '2+',
    listeners: ['broker', 'controller'],
  },
  {
    hmac: bytes('0+'),
    expiryTimePeriodMs: int64('0+'),
  },
);

export const ExpireDelegationTokenResponse = response(
  { name: 'ExpireDelegationTokenResponse', apiKey: 40, versions: '1-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  },
);
