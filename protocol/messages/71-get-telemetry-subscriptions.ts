import { arrayOf, bool, int16, int32, request, response, uuid } from '../schema.ts';

export const GetTelemetrySubscriptionsRequest = request(
  { name: 'GetTelemetrySubscriptionsRequest', apiKey: 71, versions: '0', flexible: '0+', listeners: ['broker'] },
  {
    clientInstanceId: uuid('0+'),
  },
);

export const GetTelemetrySubscriptionsResponse = response(
  { name: 'GetTelemetrySubscriptionsResponse', apiKey: 71, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    acceptedCompressionTypes: arrayOf('0+', 'int8'),
    pushIntervalMs: int32('0+'),
    telemetryMaxBytes: int32('0+'),
    deltaTemporality: bool('0+'),
    requestedMetrics: arrayOf('0+', 'string'),
  },
);
