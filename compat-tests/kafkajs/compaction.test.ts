import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes, type Message } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnBroker, startBroker } from '../brokers.ts';
import { describeBrokerKinds } from '../describe-brokers.ts';
import { eventually, times, uniqueName } from '../helpers.ts';
import { receive, useKafkajs } from './clients.ts';

/** The cleaner looks often, and everything is due at once. */
const properties = {
  'log.cleaner.backoff.ms': '100',
  'log.cleaner.min.cleanable.ratio': '0.01',
  'offsets.topic.num.partitions': '1',
  // The smallest segments that Kafka allows.
  'offsets.topic.segment.bytes': '1048576',
};
/** Segments are rolled by the time between records, which the tests set. */
const SEGMENT_MS = 10_000;
const startMs = Date.now() - 3_600_000;
/** offset:key=value; a tombstone has nothing behind the key. */
type Content = string[];

describeBrokerKinds('compacted topics', (name) => {
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await startBroker(name, { properties });
  });
  afterAll(() => broker?.remove());
  const clients = useKafkajs(() => broker.bootstrapServers, { retries: 30 });

  async function createTopic(configs: Record<string, string> = {}): Promise<string> {
    const topic = uniqueName('compacted');
    const all = { 'cleanup.policy': 'compact', 'segment.ms': String(SEGMENT_MS), ...configs };
    const configEntries = Object.entries(all).map(([key, value]) => ({ name: key, value }));
    await (await clients.admin()).createTopics({ topics: [{ topic, configEntries }] });
    return topic;
  }

  /** Sends one batch; each round's records are so much younger than the last one's that a new segment begins. */
  async function send(
    topic: string,
    round: number,
    entries: [string, string | null][],
    compression?: CompressionTypes,
  ) {
    const timestamp = String(startMs + round * 2 * SEGMENT_MS);
    const messages: Message[] = entries.map(([key, value]) => ({ key, value, timestamp }));
    await (await clients.producer()).send({ topic, messages, compression });
  }

  /** All that a consumer gets from the beginning to the end. */
  async function content(topic: string): Promise<Content> {
    const [{ high }] = await (await clients.admin()).fetchTopicOffsets(topic);
    const consumer = await clients.consumer({ groupId: uniqueName('g') });
    await consumer.subscribe({ topic, fromBeginning: true });
    const received = await receive(consumer);
    await eventually(() => received.some(({ message }) => Number(message.offset) === Number(high) - 1));
    await consumer.disconnect();
    return received.map(
      ({ message: { offset, key, value } }) => `${offset}:${key}${value === null ? '' : `=${value}`}`,
    );
  }

  const becomes = (topic: string, expected: Content): Promise<unknown> =>
    eventually(async () => {
      expect(await content(topic)).toEqual(expected);
      return true;
    });

  it.each([
    ['none', CompressionTypes.None],
    ['gzip', CompressionTypes.GZIP],
  ])('the last value of each key is left, at its offset (%s)', async (_name, compression) => {
    const topic = await createTopic();
    for (let round = 0; round < 4; round++) {
      // Keys 0 to 9, then 0 to 7, 0 to 5, 0 to 3: each round leaves some keys as they are.
      await send(
        topic,
        round,
        times(10 - 2 * round, (i) => [`key${i}`, `round${round}`]),
        compression,
      );
    }
    await send(topic, 4, [
      ['key9', 'active'],
      ['key9', 'again'],
    ]);
    const from = [0, 10, 18, 24];
    const survivors = [3, 2, 1, 0].map((round) => [round, round === 3 ? 0 : 8 - 2 * round, 10 - 2 * round] as const);
    const expected = survivors.reverse().flatMap(([round, first, last]) => {
      return times(last - first, (i) => `${from[round] + first + i}:key${first + i}=round${round}`);
    });
    await becomes(topic, [...expected, '28:key9=active', '29:key9=again']);
  });

  it('a tombstone removes its key, and goes itself after delete.retention.ms', async () => {
    const topic = await createTopic({ 'delete.retention.ms': '500' });
    await send(topic, 0, [
      ['a', '1'],
      ['b', '1'],
      ['c', '1'],
    ]);
    await send(topic, 1, [
      ['a', null],
      ['b', '2'],
    ]);
    await send(topic, 2, [['x', 'active']]);
    await becomes(topic, ['2:c=1', '3:a', '4:b=2', '5:x=active']);
    await sleep(1000);
    // Something has to be dirty, or there is no reason to compact again.
    await send(topic, 3, [['x', 'active again']]);
    await becomes(topic, ['2:c=1', '4:b=2', '5:x=active', '6:x=active again']);
  });

  it('a record without a key is refused', async () => {
    const topic = await createTopic();
    const producer = await clients.producer();
    await expect(producer.send({ topic, messages: [{ value: 'no key' }] })).rejects.toMatchObject({
      type: 'INVALID_RECORD',
    });
  });

  it('compact,delete compacts, and retention deletes what is too old', async () => {
    const topic = await createTopic({ 'cleanup.policy': 'compact,delete', 'retention.ms': '86400000' });
    await send(topic, 0, [
      ['a', '1'],
      ['b', '1'],
    ]);
    await send(topic, 1, [['a', '2']]);
    await send(topic, 2, [['x', 'active']]);
    await becomes(topic, ['1:b=1', '2:a=2', '3:x=active']);
    const configEntries = [
      { name: 'cleanup.policy', value: 'compact,delete' },
      { name: 'retention.ms', value: '1000' },
    ];
    await (await clients.admin()).alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries }],
    });
    await eventually(async () => Number((await (await clients.admin()).fetchTopicOffsets(topic))[0].low) === 4);
  });

  it('committed offsets outlive the compaction of their topic and a restart', async () => {
    const topic = uniqueName('t');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic, numPartitions: 100 }] });
    const groupId = uniqueName('g');
    const consumer = await clients.consumer({ groupId });
    await consumer.subscribe({ topic });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ autoCommit: false, eachMessage: async () => {} });
    await joined;
    const commits = 250;
    for (let i = 1; i <= commits; i++) {
      const offsets = times(100, (partition) => ({ topic, partition, offset: String(i) }));
      // The group may go through a second generation at first.
      await eventually(() => consumer.commitOffsets(offsets).then(() => true));
    }
    await consumer.disconnect();
    const [before] = await admin.fetchOffsets({ groupId, topics: [topic] });
    expect(before.partitions.filter(({ offset }) => offset === String(commits)).length).toBeGreaterThan(90);
    // 25,000 records were written; an active segment holds fewer than half of them.
    await eventually(async () => (await content('__consumer_offsets')).length < 12_500);
    await broker.restart();
    const [after] = await eventually(() => admin.fetchOffsets({ groupId, topics: [topic] }));
    expect(after.partitions).toEqual(before.partitions);
  });
});
