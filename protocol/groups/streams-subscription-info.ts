import { array, bytes, data, int8, int32, int64, string, uuid } from '../schema.ts';

const taskId = {
  topicGroupId: int32('1-6'),
  partition: int32('1-6'),
};

const partitionToOffsetSum = {
  partition: int32('7-9'),
  offsetSum: int64('7-9'),
};

const taskOffsetSum = {
  topicGroupId: int32('7+'),
  partition: int32('10+'),
  offsetSum: int64('10+'),
  namedTopology: string('10+', { nullable: '10+' }),
  partitionToOffsetSum: array('7-9', partitionToOffsetSum),
};

const clientTag = {
  key: bytes('11+'),
  value: bytes('11+'),
};

export const SubscriptionInfoData = data(
  { name: 'SubscriptionInfoData', versions: '1-11', flexible: 'none' },
  {
    version: int32('1+'),
    latestSupportedVersion: int32('3+', { default: -1 }),
    processId: uuid('1+'),
    prevTasks: array('1-6', taskId),
    standbyTasks: array('1-6', taskId),
    userEndPoint: bytes('2+'),
    taskOffsetSums: array('7+', taskOffsetSum),
    uniqueField: int8('8+'),
    errorCode: int32('9+'),
    clientTags: array('11+', clientTag),
  },
);
