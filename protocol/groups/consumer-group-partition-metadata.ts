import { array, arrayOf, coordinatorKey, coordinatorValue, int32, string, uuid } from '../schema.ts';

export const ConsumerGroupPartitionMetadataKey = coordinatorKey(
  { name: 'ConsumerGroupPartitionMetadataKey', apiKey: 4, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);

export const ConsumerGroupPartitionMetadataValue = coordinatorValue(
  { name: 'ConsumerGroupPartitionMetadataValue', apiKey: 4, versions: '0', flexible: '0+' },
  {
    topics: array('0+', {
      topicId: uuid('0+'),
      topicName: string('0+'),
      numPartitions: int32('0+'),
      partitionMetadata: array('0+', {
        partition: int32('0+'),
        racks: arrayOf('0+', 'string'),
      }),
    }),
  },
);
