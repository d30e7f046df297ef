import { Admin, type ConfigDescription, ConfigResourceTypes } from '@platformatic/kafka';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { topicsServe } from '../kafkajs/client.ts';

/**
 * Configurations whose value and source depend on how a broker was started, which is not the same for the two. Their
 * types and flags are compared all the same.
 */
const startDependent: Record<string, string> = {
  'advertised.listeners': 'has the port',
  'controller.listener.names': 'a node of its own needs no name for it',
  'controller.quorum.voters': 'has the port',
  'group.initial.rebalance.delay.ms': 'told to Kafka; the default of the development profile',
  'listener.security.protocol.map': 'follows the listeners',
  listeners: 'has the port',
  'log.dir': 'has the directory',
  'log.dirs': 'has the directory',
  'node.id': 'told to Kafka; the default of the development profile',
  'broker.id': 'follows node.id',
  'offsets.topic.replication.factor': 'told to Kafka; the default of the development profile',
  'process.roles': 'told to Kafka; the default of the development profile',
  'share.coordinator.state.topic.min.isr': 'told to Kafka; the default of the development profile',
  'share.coordinator.state.topic.replication.factor': 'told to Kafka; the default of the development profile',
  'transaction.state.log.min.isr': 'told to Kafka; the default of the development profile',
  'transaction.state.log.replication.factor': 'told to Kafka; the default of the development profile',
};

/** One line for a configuration: all that DescribeConfigs says of it, its documentation aside. */
function line(config: ConfigDescription['configs'][number]): string {
  const flags = `${config.readOnly ? ' read-only' : ''}${config.isSensitive ? ' sensitive' : ''}`;
  const head = `${config.name} type=${config.configType}${flags}`;
  if (config.name in startDependent) return head;
  const synonyms = config.synonyms
    .filter((synonym) => !(synonym.name in startDependent))
    .map((synonym) => `${synonym.name}=${synonym.value} (${synonym.source})`);
  return `${head} value=${config.value} source=${config.configSource} synonyms=[${synonyms.join(', ')}]`;
}

describeBrokers('DescribeConfigs', (broker) => {
  let admin: Admin;
  beforeAll(() => {
    admin = new Admin({ clientId: 'facts', bootstrapBrokers: [broker.bootstrapServers] });
  });
  afterAll(() => admin.close());

  const describe = async (resourceType: 2 | 4, resourceName: string): Promise<string> => {
    const resources = [{ resourceType, resourceName, configurationKeys: null }];
    const [{ configs }] = await admin.describeConfigs({ resources, includeSynonyms: true });
    return configs.map(line).sort().join('\n') + '\n';
  };

  it('tells the configuration of a topic as Kafka 4.3.1 does', async () => {
    const topic = uniqueName('facts');
    const configs = [
      { name: 'retention.ms', value: '1234567' },
      { name: 'cleanup.policy', value: 'compact,delete' },
    ];
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1, configs });
    await topicsServe(broker.bootstrapServers, [topic]);
    await expect(await describe(ConfigResourceTypes.TOPIC, topic)).toMatchFileSnapshot('expected/topic-configs.txt');
  });

  it('tells the configuration of a broker as Kafka 4.3.1 does', async () => {
    await expect(await describe(ConfigResourceTypes.BROKER, '1')).toMatchFileSnapshot('expected/broker-configs.txt');
  });

  it('tells the topic configuration that CreateTopics answers with as DescribeConfigs does', async () => {
    const topic = uniqueName('facts');
    const [created] = await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    await topicsServe(broker.bootstrapServers, [topic]);
    const names = Object.keys(created.configuration).sort();
    const described = (await describe(ConfigResourceTypes.TOPIC, topic)).trim().split('\n');
    expect(names).toEqual(described.map((text) => text.split(' ')[0]));
  });
});
