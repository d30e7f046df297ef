import { bytes, int16, int32, int64, request, response } from '../schema.ts';

export const RenewDelegationTokenRequest = request(
  {
    name: 'RenewDelegationTokenRequest',
    apiKey: 39,
    versions: '1-2',
    flexible: '2+',
    listeners: ['broker', 'controller'],
  },
  {
    hmac: bytes('0+'),
    renewPeriodMs: int64('0+'),
  },
);

export const RenewDelegationTokenResponse = response(
  { name: 'RenewDelegationTokenResponse', apiKey: 39, versions: '1-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  },
);
