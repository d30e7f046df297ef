import { arrayOf, coordinatorKey, coordinatorValue, int64, string } from '../schema.ts';

export const ConsumerGroupRegularExpressionKey = coordinatorKey(
  { name: 'ConsumerGroupRegularExpressionKey', apiKey: 16, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    regularExpression: string('0'),
  },
);

export const ConsumerGroupRegularExpressionValue = coordinatorValue(
  { name: 'ConsumerGroupRegularExpressionValue', apiKey: 16, versions: '0', flexible: '0+' },
  {
    topics: arrayOf('0+', 'string'),
    version: int64('0+'),
    timestamp: int64('0+'),
  },
);
