import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type OwnBroker, startBroker } from '../brokers.ts';
import { describeBrokerKinds } from '../describe-brokers.ts';
import { eventually, pastMs, uniqueName } from '../helpers.ts';
import { useKafkajs } from '../kafkajs/clients.ts';
import { notYetServed } from '../not-yet.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { toolsFor } from '../tools/tools.ts';
import { StreamsApp } from './streams-app.ts';

const ADD_OFFSETS_TO_TXN = 25;

/** A broker that lets members go after seconds instead of most of a minute. */
const impatient = {
  'group.streams.initial.rebalance.delay.ms': '0',
  'group.streams.min.session.timeout.ms': '3000',
  'group.streams.session.timeout.ms': '6000',
  'group.streams.min.heartbeat.interval.ms': '500',
  'group.streams.heartbeat.interval.ms': '500',
  'group.min.session.timeout.ms': '3000',
};

describeBrokerKinds('applications of Kafka Streams', (name) => {
  const oracle = oracleAvailable();
  if (!oracle.available) return it.skip(`SKIPPED, they cannot be run: ${oracle.reason}`, () => {});
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await startBroker(name, { properties: impatient });
  });
  afterAll(() => broker?.remove());
  const clients = useKafkajs(() => broker.bootstrapServers);
  const running: StreamsApp[] = [];
  const directories: string[] = [];
  afterEach(() => {
    for (const app of running.splice(0)) app.kill();
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  function stateDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'odradek-streams-state-'));
    directories.push(directory);
    return directory;
  }

  function start(config: Record<string, string>): StreamsApp {
    const app = new StreamsApp({
      'bootstrap.servers': broker.bootstrapServers,
      'state.dir': stateDirectory(),
      ...(config['group.protocol'] === 'classic'
        ? { 'session.timeout.ms': '6000', 'heartbeat.interval.ms': '500' }
        : {}),
      ...config,
    });
    running.push(app);
    return app;
  }

  async function topics(...partitions: number[]): Promise<string[]> {
    const admin = await clients.admin();
    const names = partitions.map((_, i) => uniqueName(`t${i}`));
    await admin.createTopics({ topics: names.map((topic, i) => ({ topic, numPartitions: partitions[i] })) });
    return names;
  }

  type Message = { key?: string; value: string; partition?: number; timestamp?: string };

  async function send(topic: string, messages: Message[]): Promise<void> {
    const producer = await clients.producer();
    await producer.send({ topic, messages });
  }

  /** Reads the topic from the beginning; `last()` has the last value of each key. */
  async function reader(topic: string): Promise<{ last(): Record<string, string>; all(): string[] }> {
    const consumer = await clients.consumer({ groupId: uniqueName('reader') });
    const read: [string, string][] = [];
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        read.push([String(message.key), String(message.value)]);
      },
    });
    return { last: () => Object.fromEntries(read), all: () => read.map(([key, value]) => `${key}=${value}`) };
  }

  const has = (read: { last(): Record<string, string> }, expected: Record<string, string>) =>
    eventually(() => {
      expect(read.last()).toEqual(expected);
      return true;
    });

  /** Comes back when the group has committed these offsets: what is not committed is done again, at least once. */
  async function committed(groupId: string, topic: string, offsets: string[]): Promise<void> {
    const admin = await clients.admin();
    await eventually(async () => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
      expect(partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset)).toEqual(offsets);
      return true;
    });
  }

  describe.each(['classic', 'streams'])('group.protocol=%s', (protocol) => {
    describe.each(['at_least_once', 'exactly_once_v2'])('processing.guarantee=%s', (guarantee) => {
      const needsTransactions = guarantee === 'exactly_once_v2';
      const isMissing = name === 'odradek' && needsTransactions && notYetServed.has(ADD_OFFSETS_TO_TXN);
      const check = isMissing ? it.skip : it;
      const config = { 'group.protocol': protocol, 'processing.guarantee': guarantee };

      check('counts words, and finds its counts again without its local state', async () => {
        const [input, output] = await topics(2, 1);
        const own = { ...config, app: 'wordcount', in: input, out: output, 'application.id': uniqueName('words') };
        await send(input, [
          { value: 'hello world', partition: 0 },
          { value: 'hello odradek', partition: 1 },
        ]);
        const counts = await reader(output);
        const first = start(own);
        await first.running();
        await has(counts, { hello: '2', world: '1', odradek: '1' });
        await first.has('hello', '2');
        await first.close();

        const second = start(own);
        await second.running();
        const restored = [...second.output().matchAll(/^restored store \d (\d+)$/gm)].map(([, count]) => Number(count));
        expect(restored).toHaveLength(2);
        expect(restored.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(3);
        await second.has('hello', '2');
        await send(input, [{ value: 'hello again' }]);
        await has(counts, { hello: '3', world: '1', odradek: '1', again: '1' });
        await second.close();
        expect(second.output()).not.toContain('error');
      });

      check('joins a stream with a table', async () => {
        const [stream, table, output] = await topics(2, 2, 1);
        const app = start({
          ...config,
          app: 'join',
          in: stream,
          table,
          out: output,
          'application.id': uniqueName('join'),
        });
        await send(table, [
          { key: 'a', value: 'A', timestamp: String(pastMs) },
          { key: 'b', value: 'B', timestamp: String(pastMs) },
        ]);
        await app.running();
        await app.has('a', 'A');
        await app.has('b', 'B');
        await send(stream, [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
          { key: 'c', value: '3' },
        ]);
        await has(await reader(output), { a: '1+A', b: '2+B' });
        await app.close();
      });

      check('counts by window', async () => {
        const [input, output] = await topics(1, 1);
        const app = start({ ...config, app: 'window', in: input, out: output, 'application.id': uniqueName('window') });
        const at = (seconds: number) => String(pastMs - (pastMs % 10_000) + seconds * 1000);
        await send(input, [
          { key: 'k', value: 'x', timestamp: at(1) },
          { key: 'k', value: 'x', timestamp: at(9) },
          { key: 'k', value: 'x', timestamp: at(10) },
          { key: 'k', value: 'late', timestamp: at(5) },
        ]);
        await has(await reader(output), { [`k@${at(0)}`]: '2', [`k@${at(10)}`]: '1' });
        await app.close();
      });

      check('goes on with the tasks of an instance that dies', async () => {
        const [input, output] = await topics(2, 1);
        const own = { ...config, app: 'window', in: input, out: output, 'application.id': uniqueName('two') };
        const timestamp = String(pastMs - (pastMs % 10_000));
        const survivor = start(own);
        await survivor.running();
        const other = start(own);
        await other.running();
        const partitions = async () => [await survivor.activePartitions(), await other.activePartitions()];
        await eventually(async () => (await partitions()).every((p) => p.length === 1), 60_000);
        expect((await partitions()).flat().sort()).toEqual([`${input}-0`, `${input}-1`]);
        const both = (value: string) =>
          [0, 1].map((partition) => ({ key: `k${partition}`, value, partition, timestamp }));
        await send(input, both('x'));
        const counts = await reader(output);
        await has(counts, { [`k0@${timestamp}`]: '1', [`k1@${timestamp}`]: '1' });
        await committed(own['application.id'], input, ['1', '1']);
        other.kill();
        await eventually(async () => (await survivor.activePartitions()).length === 2, 60_000);
        await send(input, both('y'));
        await has(counts, { [`k0@${timestamp}`]: '2', [`k1@${timestamp}`]: '2' });
        await survivor.close();
      });
    });
  });

  it('is told of by kafka-streams-groups', async () => {
    const { tool, attempt } = toolsFor(broker);
    const groups = (...args: string[]) => tool('streams.StreamsGroupCommand', args);
    const [input, output] = await topics(2, 1);
    const group = uniqueName('told');
    await send(input, [{ value: 'one two', partition: 0 }]);
    const app = start({
      'group.protocol': 'streams',
      app: 'wordcount',
      in: input,
      out: output,
      'application.id': group,
    });
    await app.running();
    await has(await reader(output), { one: '1', two: '1' });
    expect(await groups('--list')).toContain(group);
    expect(await groups('--list', '--state', 'Stable')).toMatch(new RegExp(`${group}\\s+Stable`));
    expect(await groups('--describe', '--group', group, '--state')).toMatch(/Stable\s+1\s*$/m);
    expect(await groups('--describe', '--group', group, '--members')).toMatch(/ACTIVE:.*0:\[0,1\].*1:\[0,1\]/);
    await eventually(async () => {
      expect(await groups('--describe', '--group', group)).toMatch(new RegExp(`${input}\\s+0\\s.*\\s0\\s*$`, 'm'));
      return true;
    });
    const refused = await attempt('streams.StreamsGroupCommand', ['--delete', '--group', group]);
    expect(refused.stdout + refused.stderr).toContain('is not EMPTY');
    await app.close();
    const reset = ['--reset-offsets', '--group', group, '--all-input-topics', '--to-earliest', '--execute'];
    expect(await groups(...reset)).toMatch(new RegExp(`${input}\\s+0\\s+0`));
    expect(await groups('--delete', '--group', group, '--delete-all-internal-topics')).toContain('was successful');
    expect(await groups('--list')).not.toContain(group);
    const left = await (await clients.admin()).listTopics();
    expect(left.filter((topic) => topic.startsWith(group))).toEqual([]);
  });
});
