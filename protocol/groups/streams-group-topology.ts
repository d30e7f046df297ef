import { array, arrayOf, coordinatorKey, coordinatorValue, int16, int32, string } from '../schema.ts';

const topicConfig = {
  key: string('0+'),
  value: string('0+'),
};

const topicInfo = {
  name: string('0+'),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: array('0+', topicConfig),
};

export const StreamsGroupTopologyKey = coordinatorKey(
  { name: 'StreamsGroupTopologyKey', apiKey: 23, versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);

export const StreamsGroupTopologyValue = coordinatorValue(
  { name: 'StreamsGroupTopologyValue', apiKey: 23, versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    subtopologies: array('0+', {
      subtopologyId: string('0+'),
      sourceTopics: arrayOf('0+', 'string'),
      sourceTopicRegex: arrayOf('0+', 'string'),
      stateChangelogTopics: array('0+', topicInfo),
      repartitionSinkTopics: arrayOf('0+', 'string'),
      repartitionSourceTopics: array('0+', topicInfo),
      copartitionGroups: array('0+', {
        sourceTopics: arrayOf('0+', 'int16'),
        sourceTopicRegex: arrayOf('0+', 'int16'),
        repartitionSourceTopics: arrayOf('0+', 'int16'),
      }),
    }),
  },
);
