import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually, times, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { describeTools, lines, table } from '../tools/tools.ts';
import { JavaConsumers } from './consumers.ts';

const CONSUMER = 'group.protocol=consumer';

/** The consumer of Kafka 4.3.1, with the protocol of KIP-848. */
describeTools('Java consumers with group.protocol=consumer', ({ tool }, broker) => {
  let group = '';
  let consumers: JavaConsumers;
  beforeEach(() => {
    group = uniqueName('kip848');
    consumers = new JavaConsumers(broker.bootstrapServers, group);
  });
  afterEach(() => consumers.quit());

  const groups = (...args: string[]): Promise<string> =>
    tool('consumer.group.ConsumerGroupCommand', ['--group', group, ...args]);

  async function newTopic(partitions: number, name = uniqueName('shared')): Promise<string> {
    const admin = kafkajs(broker.bootstrapServers).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: name, numPartitions: partitions }] });
    await admin.disconnect();
    return name;
  }

  async function produce(topic: string, count: number): Promise<void> {
    const producer = kafkajs(broker.bootstrapServers).producer();
    await producer.connect();
    await producer.send({ topic, messages: times(count, (i) => ({ key: String(i), value: `v${i}` })) });
    await producer.disconnect();
  }

  const partitionsOf = (topic: string, count: number): string[] => times(count, (i) => `${topic}-${i}`);

  it('share the partitions, whoever comes and goes, and read every record once', async () => {
    const topic = await newTopic(6);
    await produce(topic, 100);
    consumers.start('a', `topic=${topic}`, CONSUMER);
    await consumers.balanced(partitionsOf(topic, 6), ['a']);
    consumers.start('b', `topic=${topic}`, CONSUMER);
    await consumers.balanced(partitionsOf(topic, 6), ['a', 'b']);
    consumers.start('c', `topic=${topic}`, CONSUMER);
    await consumers.balanced(partitionsOf(topic, 6), ['a', 'b', 'c']);
    consumers.stop('a');
    await consumers.balanced(partitionsOf(topic, 6), ['b', 'c']);
    await produce(topic, 100);
    await eventually(() => consumers.recordCount === 200);
    expect(consumers.failures).toEqual([]);
  });

  it('are described by kafka-consumer-groups', async () => {
    const topic = await newTopic(4);
    await produce(topic, 40);
    consumers.start('a', `topic=${topic}`, CONSUMER);
    consumers.start('b', `topic=${topic}`, CONSUMER, 'group.remote.assignor=range');
    await consumers.balanced(partitionsOf(topic, 4), ['a', 'b']);
    await eventually(() => consumers.recordCount === 40);
    const state = await eventually(async () => {
      const line = lines(await groups('--describe', '--state')).at(-1) ?? '';
      return line.includes('Stable') ? line : undefined;
    });
    expect(state.split(/\s+/)).toEqual([group, broker.bootstrapServers, '(1)', 'range', 'Stable', '2']);
    const members = table(await groups('--describe', '--members', '--verbose'), 'GROUP');
    expect(members.map((row) => row['#PARTITIONS'])).toEqual(['2', '2']);
    const offsets = await eventually(async () => {
      const rows = table(await groups('--describe'), 'GROUP');
      return rows.length === 4 && rows.every((row) => row.LAG === '0') ? rows : undefined;
    });
    expect(offsets.map((row) => row.TOPIC)).toEqual(times(4, () => topic));
    const listed = table(await tool('consumer.group.ConsumerGroupCommand', ['--list', '--type', '--state']), 'GROUP');
    expect(listed.find((row) => row.GROUP === group)).toMatchObject({ TYPE: 'Consumer', STATE: 'Stable' });
  });
});
