import { ConfigResourceTypes, ConfigSources } from '@platformatic/kafka';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, onceKnown, times, uniqueName } from '../helpers.ts';
import { topicsServe } from '../kafkajs/client.ts';
import { consumeAll, usePlatformatic } from './clients.ts';

describeBrokers('@platformatic/kafka administers', (broker) => {
  const clients = usePlatformatic(() => broker.bootstrapServers);

  it('creates, lists, grows and deletes topics', async () => {
    const topic = uniqueName('pf');
    const admin = clients.admin();
    const [created] = await admin.createTopics({
      topics: [topic],
      partitions: 2,
      replicas: 1,
      configs: [{ name: 'retention.ms', value: '5000' }],
    });
    expect(created).toMatchObject({ name: topic, partitions: 2, replicas: 1 });
    expect(created.configuration).toMatchObject({ 'retention.ms': '5000', 'cleanup.policy': 'delete' });
    expect(created.id).toMatch(/^[0-9a-f-]{36}$/);
    await onceKnown(broker, async () => expect(await admin.listTopics()).toContain(topic));
    await admin.createPartitions({ topics: [{ name: topic, count: 4, assignments: null }] });
    await onceKnown(broker, async () => {
      const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
      expect(metadata.topics.get(topic)?.partitions).toHaveLength(4);
    });
    await expect(admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })).rejects.toThrow();
    await admin.deleteTopics({ topics: [topic] });
    await eventually(async () => !(await admin.listTopics()).includes(topic));
  });

  it('describes and alters configurations, piece by piece', async () => {
    const topic = uniqueName('pf');
    const admin = clients.admin();
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    await topicsServe(broker.bootstrapServers, [topic]);
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic };
    const configs = [{ name: 'retention.ms', configOperation: 0, value: '7000' }] as const;
    await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [...configs] }] });
    await onceKnown(broker, async () => {
      const described = await admin.describeConfigs({
        includeSynonyms: true,
        resources: [{ ...resource, configurationKeys: ['retention.ms'] }],
      });
      expect(described[0].configs).toMatchObject([
        { name: 'retention.ms', value: '7000', configSource: ConfigSources.TOPIC_CONFIG },
      ]);
    });
  });

  it('lists, describes and deletes groups; reads, sets and deletes their offsets', async () => {
    const topic = uniqueName('pf');
    const groupId = uniqueName('group');
    await clients.producer().send({ messages: times(5, (i) => ({ topic, value: String(i) })) });
    const consumer = clients.consumer({ groupId });
    await consumeAll(consumer, [topic], 5);
    const admin = clients.admin();
    const listed = (await admin.listGroups()).get(groupId);
    expect(listed).toMatchObject({ id: groupId, state: 'STABLE', protocolType: 'consumer', groupType: 'classic' });
    await expect(admin.deleteGroups({ groups: [groupId] })).rejects.toThrow();
    await consumer.close(true);
    const offset = async (): Promise<bigint | undefined> => {
      const [group] = await admin.listConsumerGroupOffsets({
        groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [0] }] }],
      });
      return group.topics[0].partitions[0].committedOffset;
    };
    await admin.alterConsumerGroupOffsets({
      groupId,
      topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: 2n }] }],
    });
    expect(await offset()).toBe(2n);
    await admin.deleteConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionIndexes: [0] }] });
    expect(await offset()).toBe(-1n);
    // The offsets were all that was left of the group.
    await admin.deleteGroups({ groups: [groupId] }).catch(() => {});
    expect((await admin.listGroups()).has(groupId)).toBe(false);
  });

  it('finds coordinators in a batch', async () => {
    const keys = [uniqueName('group'), uniqueName('group')];
    const found = await clients.admin().findCoordinator({ keyType: 0, keys });
    const [host, port] = broker.bootstrapServers.split(':');
    expect(found).toMatchObject(keys.map((key) => ({ key, nodeId: 1, host, port: Number(port) })));
  });

  it('lists offsets and deletes records', async () => {
    const topic = uniqueName('pf');
    await clients.producer().send({ messages: times(5, (i) => ({ topic, value: String(i) })) });
    const admin = clients.admin();
    const deleted = await admin.deleteRecords({
      topics: [{ name: topic, partitions: [{ partition: 0, offset: 2n }] }],
    });
    expect(deleted).toEqual([{ name: topic, partitions: [{ partition: 0, lowWatermark: 2n }] }]);
    const listed = await admin.listOffsets({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -2n }] }],
    });
    expect(listed).toMatchObject([{ name: topic, partitions: [{ partitionIndex: 0, offset: 2n }] }]);
  });

  it('describes log directories', async () => {
    const topic = uniqueName('pf');
    await clients.producer().send({ messages: [{ topic, value: 'x' }] });
    const [description] = await clients.admin().describeLogDirs({ topics: [{ name: topic, partitions: [0] }] });
    expect(description).toMatchObject({ broker: 1 });
    const [{ topics }] = description.results;
    expect(topics).toMatchObject([
      { name: topic, partitions: [{ partitionIndex: 0, offsetLag: 0n, isFutureKey: false }] },
    ]);
    expect(topics[0].partitions[0].partitionSize).toBeGreaterThan(60n);
  });

  it('sets, reads and removes client quotas', async () => {
    const client = uniqueName('client');
    const admin = clients.admin();
    const entities = [{ entityType: 'client-id', entityName: client }] as const;
    const alter = (value: number, remove: boolean): Promise<unknown> =>
      admin.alterClientQuotas({
        entries: [{ entities: [...entities], ops: [{ key: 'producer_byte_rate', value, remove }] }],
      });
    const described = async (): Promise<unknown[]> =>
      (
        await admin.describeClientQuotas({ components: [{ entityType: 'client-id', matchType: 0, match: client }] })
      ).map((e) => e.values);
    await alter(1234, false);
    await eventually(async () => (await described()).length === 1);
    expect(await described()).toEqual([[{ key: 'producer_byte_rate', value: 1234 }]]);
    await alter(0, true);
    await eventually(async () => (await described()).length === 0);
  });
});
