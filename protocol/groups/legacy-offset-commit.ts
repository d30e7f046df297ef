import { coordinatorKey, coordinatorValue, int32, int64, string } from '../schema.ts';

export const LegacyOffsetCommitKey = coordinatorKey(
  { name: 'LegacyOffsetCommitKey', apiKey: 0, versions: '0', flexible: 'none' },
  {
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  },
);

export const LegacyOffsetCommitValue = coordinatorValue(
  { name: 'LegacyOffsetCommitValue', apiKey: 0, versions: '0', flexible: 'none' },
  {
    offset: int64('0'),
    metadata: string('0'),
    commitTimestamp: int64('0'),
  },
);
