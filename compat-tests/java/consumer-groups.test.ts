import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConsumerProcess } from '../consumer-process.ts';
import { eventually, times, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { describeTools, lines, table } from '../tools/tools.ts';
import { javaConsumers } from './consumers.ts';

const CONSUMER = 'group.protocol=consumer';

/** The consumer of Kafka 4.3.1, with the protocol of KIP-848. */
describeTools('Java consumers with group.protocol=consumer', ({ tool, attempt }, broker) => {
  let group = '';
  let consumers: ConsumerProcess;
  beforeEach(() => {
    group = uniqueName('kip848');
    consumers = javaConsumers(broker.bootstrapServers, group);
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

  it('are reset and deleted by kafka-consumer-groups when they have gone', async () => {
    const topic = await newTopic(2);
    await produce(topic, 20);
    consumers.start('a', `topic=${topic}`, CONSUMER);
    await eventually(() => consumers.recordCount === 20);
    const reset = ['--reset-offsets', '--all-topics', '--to-earliest', '--execute'];
    const refused = await attempt('consumer.group.ConsumerGroupCommand', ['--group', group, ...reset]);
    expect(refused.stdout + refused.stderr).toContain('inactive');
    consumers.stop('a');
    await eventually(() => !consumers.assigned.has('a'));
    const rows = table(await groups(...reset), 'GROUP');
    expect(rows.map((row) => row['NEW-OFFSET'])).toEqual(['0', '0']);
    consumers.start('b', `topic=${topic}`, CONSUMER);
    await eventually(() => consumers.recordCount === 40);
    consumers.stop('b');
    await eventually(() => !consumers.assigned.has('b'));
    expect(await groups('--delete')).toContain('was successful');
    expect(consumers.failures).toEqual([]);
  });

  it('follow a regular expression to topics that are not there yet', async () => {
    const prefix = uniqueName('regex');
    await newTopic(2, `${prefix}-one`);
    consumers.start('a', `regex=${prefix}-.*`, CONSUMER);
    consumers.start('b', `regex=${prefix}-.*`, CONSUMER);
    await consumers.balanced(partitionsOf(`${prefix}-one`, 2), ['a', 'b']);
    await newTopic(2, `${prefix}-two`);
    const all = [...partitionsOf(`${prefix}-one`, 2), ...partitionsOf(`${prefix}-two`, 2)];
    await consumers.balanced(all, ['a', 'b']);
    expect(consumers.failures).toEqual([]);
  });

  it('keep their partitions as static members while they are away', async () => {
    const topic = await newTopic(4);
    consumers.start('a', `topic=${topic}`, CONSUMER, 'group.instance.id=i1');
    consumers.start('b', `topic=${topic}`, CONSUMER, 'group.instance.id=i2');
    await consumers.balanced(partitionsOf(topic, 4), ['a', 'b']);
    const before = consumers.assigned.get('b');
    consumers.stop('b');
    await eventually(() => !consumers.assigned.has('b'));
    consumers.start('c', `topic=${topic}`, CONSUMER, 'group.instance.id=i2');
    await consumers.balanced(partitionsOf(topic, 4), ['a', 'c']);
    expect(consumers.assigned.get('c')).toEqual(before);
    expect(consumers.failures).toEqual([]);
  });

  it('take over from consumers of the classic protocol one by one, and hand back to them', async () => {
    const topic = await newTopic(6);
    const classic = ['group.protocol=classic', 'session.timeout.ms=10000', 'heartbeat.interval.ms=500'];
    const strategy = 'partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor';
    for (const name of ['a', 'b', 'c']) consumers.start(name, `topic=${topic}`, ...classic, strategy);
    const type = async () => {
      const rows = table(await tool('consumer.group.ConsumerGroupCommand', ['--list', '--type']), 'GROUP');
      return rows.find((row) => row.GROUP === group)?.TYPE;
    };
    await consumers.balanced(partitionsOf(topic, 6), ['a', 'b', 'c']);
    await produce(topic, 60);
    await eventually(() => consumers.recordCount === 60);
    expect(await type()).toBe('Classic');
    consumers.stop('a');
    consumers.start('d', `topic=${topic}`, CONSUMER);
    await consumers.balanced(partitionsOf(topic, 6), ['b', 'c', 'd']);
    expect(await type()).toBe('Consumer');
    consumers.stop('b');
    consumers.start('e', `topic=${topic}`, CONSUMER);
    await consumers.balanced(partitionsOf(topic, 6), ['c', 'd', 'e']);
    await produce(topic, 60);
    await eventually(() => consumers.recordCount === 120);
    consumers.stop('d');
    consumers.stop('e');
    await consumers.balanced(partitionsOf(topic, 6), ['c']);
    expect(await type()).toBe('Classic');
    await produce(topic, 60);
    await eventually(() => consumers.recordCount === 180);
    // the last one is put out of its generation once, on the way back to the classic group: Kafka does that, too
    expect(consumers.failures.filter((line) => line.startsWith('failed'))).toEqual([]);
  });
});
