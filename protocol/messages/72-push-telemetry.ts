import { bool, bytes, int8, int16, int32, request, response, uuid } from '../schema.ts';

export const PushTelemetryRequest = request(
  { name: 'PushTelemetryRequest', apiKey: 72, versions: '0', flexible: '0+', listeners: ['broker'] },
  {
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    terminating: bool('0+'),
    compressionType: int8('0+'),
    metrics: bytes('0+'),
  },
);

export const PushTelemetryResponse = response(
  { name: 'PushTelemetryResponse', apiKey: 72, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
);
