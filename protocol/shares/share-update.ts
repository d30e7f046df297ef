import { array, coordinatorKey, coordinatorValue, int8, int16, int32, int64, string, uuid } from '../schema.ts';

export const ShareUpdateKey = coordinatorKey(
  { name: 'ShareUpdateKey', apiKey: 1, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    topicId: uuid('0'),
    partition: int32('0'),
  },
);

export const ShareUpdateValue = coordinatorValue(
  { name: 'ShareUpdateValue', apiKey: 1, versions: '0', flexible: '0+' },
  {
    snapshotEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { default: -1, tag: 0, tagged: '0+' }),
    stateBatches: array('0+', {
      firstOffset: int64('0+'),
      lastOffset: int64('0+'),
      deliveryState: int8('0+'),
      deliveryCount: int16('0+'),
    }),
  },
);
