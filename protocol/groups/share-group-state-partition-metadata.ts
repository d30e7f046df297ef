import { array, arrayOf, coordinatorKey, coordinatorValue, string, uuid } from '../schema.ts';

const topicPartitionsInfo = {
  topicId: uuid('0+'),
  topicName: string('0+'),
  partitions: arrayOf('0+', 'int32'),
};

const topicInfo = {
  topicId: uuid('0+'),
  topicName: string('0+'),
};

export const ShareGroupStatePartitionMetadataKey = coordinatorKey(
  { name: 'ShareGroupStatePartitionMetadataKey', apiKey: 15, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);

export const ShareGroupStatePartitionMetadataValue = coordinatorValue(
  { name: 'ShareGroupStatePartitionMetadataValue', apiKey: 15, versions: '0', flexible: '0+' },
  {
    initializingTopics: array('0+', topicPartitionsInfo),
    initializedTopics: array('0+', topicPartitionsInfo),
    deletingTopics: array('0+', topicInfo),
  },
);
