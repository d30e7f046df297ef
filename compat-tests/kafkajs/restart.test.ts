import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnBroker, startBroker } from '../brokers.ts';
import { describeBrokerKinds } from '../describe-brokers.ts';
import { eventually, times, uniqueName } from '../helpers.ts';
import { consumeAll, receive, textOf, useKafkajs } from './clients.ts';

describeBrokerKinds('kafkajs lives through a restart of the broker', (name) => {
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await startBroker(name);
  });
  afterAll(() => broker?.remove());
  const clients = useKafkajs(() => broker.bootstrapServers);

  it.each(['in good order', 'by kill -9'])(
    'a producer and a consumer go on over a restart %s; each acknowledged message arrives',
    async (manner) => {
      const topic = uniqueName('restart');
      const admin = await clients.admin();
      await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
      const groupId = uniqueName('g');
      const consumer = await clients.consumer({ groupId, sessionTimeout: 10_000 });
      await consumer.subscribe({ topic, fromBeginning: true });
      const received = await receive(consumer);
      const producer = await clients.producer();
      const acknowledged: string[] = [];
      let stopped = false;
      const producing = (async () => {
        for (let i = 0; !stopped; i++) {
          const value = String(i);
          await producer.send({ topic, messages: [{ key: value, value }] });
          acknowledged.push(value);
        }
      })();
      await eventually(() => received.length > 50);
      if (manner === 'by kill -9') await broker.kill();
      await broker.restart();
      const before = acknowledged.length;
      await eventually(() => acknowledged.length > before + 50);
      stopped = true;
      await producing;
      await eventually(() => {
        const values = new Set(received.map(textOf));
        return acknowledged.every((value) => values.has(value));
      });
    },
  );

  it('topics, configurations, messages and committed offsets outlive a restart', async () => {
    const topic = uniqueName('kept');
    const groupId = uniqueName('g');
    const admin = await clients.admin();
    const configEntries = [{ name: 'retention.ms', value: '123456789' }];
    await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] });
    const producer = await clients.producer();
    await producer.send({ topic, messages: times(10, (i) => ({ value: String(i), partition: i % 2 })) });
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '3' }] });
    const { clusterId } = await admin.describeCluster();

    await broker.restart();
    await eventually(async () => (await admin.describeCluster()).clusterId === clusterId);
    expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions).toHaveLength(2);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic, configNames: ['retention.ms'] }],
    });
    expect(resources[0].configEntries[0].configValue).toBe('123456789');
    const [offsets] = await eventually(() => admin.fetchOffsets({ groupId, topics: [topic] }));
    expect(offsets.partitions).toContainEqual({ partition: 0, offset: '3', metadata: null });
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], 10);
    expect(received.map(textOf).sort()).toEqual(times(10, String));
    const sent = await producer.send({ topic, messages: [{ value: 'next', partition: 0 }] });
    expect(sent[0].baseOffset).toBe('5');
  });
});
