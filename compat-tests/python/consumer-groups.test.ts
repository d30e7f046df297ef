import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Broker } from '../brokers.ts';
import { ConsumerProcess } from '../consumer-process.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, times, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { confluentKafka } from './python.ts';

const environment = confluentKafka();

/** Comes back when all records have been read; fails when one was read twice. */
async function allReadOnce({ namedRecords }: ConsumerProcess, count: number): Promise<void> {
  await eventually(() => {
    if (new Set(namedRecords).size >= count) return true;
    throw new Error(`${new Set(namedRecords).size} of ${count} records`);
  }, 60_000);
  expect(namedRecords.toSorted()).toEqual([...new Set(namedRecords)].sort());
  expect(namedRecords).toHaveLength(count);
}

describeBrokers('consumers of librdkafka (confluent-kafka)', (broker) => {
  if ('unavailable' in environment) it.skip(`SKIPPED, ${environment.unavailable}`, () => {});
  else suite(broker, environment.python);
});

function suite(broker: Broker, python: string): void {
  async function filledTopic(name: string, numPartitions: number, count: number): Promise<string> {
    const client = kafkajs(broker.bootstrapServers);
    const [admin, producer] = [client.admin(), client.producer()];
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic: name, numPartitions }] });
    await producer.send({ topic: name, messages: times(count, (i) => ({ key: String(i), value: `v${i}` })) });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    return name;
  }

  const partitionsOf = (topic: string, count: number): string[] => times(count, (i) => `${topic}-${i}`);

  it.each([
    ['group.protocol=consumer', 'group.remote.assignor=uniform'],
    ['partition.assignment.strategy=cooperative-sticky', 'session.timeout.ms=10000'],
  ])('share the partitions with %s', async (...properties) => {
    const topic = await filledTopic(uniqueName('rd'), 6, 100);
    const script = join(import.meta.dirname, 'consumers.py');
    const consumers = new ConsumerProcess(python, [script, broker.bootstrapServers, uniqueName('librdkafka')]);
    consumers.start('a', topic, ...properties);
    await consumers.balanced(partitionsOf(topic, 6), ['a']);
    consumers.start('b', topic, ...properties);
    consumers.start('c', topic, ...properties);
    await consumers.balanced(partitionsOf(topic, 6), ['a', 'b', 'c']);
    consumers.stop('b');
    await consumers.balanced(partitionsOf(topic, 6), ['a', 'c']);
    await allReadOnce(consumers, 100);
    await consumers.quit();
    expect(consumers.failures).toEqual([]);
  });

  it('subscribe by a regular expression with group.protocol=consumer', async () => {
    const prefix = uniqueName('rdregex');
    const topics = [await filledTopic(`${prefix}-a`, 2, 10), await filledTopic(`${prefix}-b`, 1, 10)];
    const script = join(import.meta.dirname, 'consumers.py');
    const consumers = new ConsumerProcess(python, [script, broker.bootstrapServers, uniqueName('librdkafka')]);
    consumers.start('a', `^${prefix}-.*`, 'group.protocol=consumer');
    await consumers.balanced([...partitionsOf(topics[0], 2), ...partitionsOf(topics[1], 1)], ['a']);
    await allReadOnce(consumers, 20);
    await consumers.quit();
    expect(consumers.failures).toEqual([]);
  });
}
