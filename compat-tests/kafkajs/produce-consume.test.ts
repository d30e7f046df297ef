import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, pastMs, times, uniqueName } from '../helpers.ts';
import { consumeAll, receive, textOf, useKafkajs } from './clients.ts';

describeBrokers('kafkajs produces and consumes', (broker) => {
  const clients = useKafkajs(() => broker.bootstrapServers);

  it('creates a topic on the first produce, gives offsets from 0 on and all messages in order', async () => {
    const topic = uniqueName('auto');
    const producer = await clients.producer({ allowAutoTopicCreation: true });
    const first = await producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] });
    const second = await producer.send({ topic, messages: [{ value: 'c' }] });
    expect(first).toMatchObject([{ topicName: topic, partition: 0, errorCode: 0, baseOffset: '0' }]);
    expect(second).toMatchObject([{ topicName: topic, partition: 0, errorCode: 0, baseOffset: '2' }]);
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], 3);
    expect(received.map(textOf)).toEqual(['a', 'b', 'c']);
    expect(received.map((r) => r.message.offset)).toEqual(['0', '1', '2']);
  });

  it('carries keys, headers, timestamps, nulls and empty values as they are', async () => {
    const topic = uniqueName('content');
    const producer = await clients.producer();
    await producer.send({
      topic,
      messages: [
        {
          key: 'key',
          value: 'value',
          timestamp: String(pastMs + 123),
          headers: { one: 'x', many: ['1', '2'], bytes: Buffer.from([0, 255]) },
        },
        { key: 'tombstone', value: null },
        { key: null, value: '' },
        { key: '', value: Buffer.from([0, 1, 254, 255]) },
      ],
    });
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], 4);
    const [full, tombstone, empty, binary] = received.map((r) => r.message);
    expect(full.timestamp).toBe(String(pastMs + 123));
    expect(String(full.key)).toBe('key');
    expect(full.headers).toEqual({
      one: Buffer.from('x'),
      many: [Buffer.from('1'), Buffer.from('2')],
      bytes: Buffer.from([0, 255]),
    });
    expect(tombstone.value).toBeNull();
    expect([empty.key, empty.value]).toEqual([null, Buffer.alloc(0)]);
    expect([binary.key, binary.value]).toEqual([Buffer.alloc(0), Buffer.from([0, 1, 254, 255])]);
  });

  it('spreads over partitions and keeps the order of each key', async () => {
    const topic = uniqueName('keyed');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] });
    const producer = await clients.producer();
    const messages = times(200, (i) => ({ key: `k${i % 20}`, value: String(i) }));
    await producer.send({ topic, messages });
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], 200);
    expect(new Set(received.map((r) => r.partition)).size).toBeGreaterThan(1);
    for (const key of new Set(messages.map((m) => m.key))) {
      const ofKey = received.filter((r) => String(r.message.key) === key);
      expect(new Set(ofKey.map((r) => r.partition)).size).toBe(1);
      expect(ofKey.map(textOf)).toEqual(messages.filter((m) => m.key === key).map((m) => m.value));
    }
  });

  it.each([
    ['all replicas', -1],
    ['the leader', 1],
    ['nobody', 0],
  ])('writes with the acknowledgement of %s (acks=%d)', async (_who, acks) => {
    const topic = uniqueName('acks');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic }] });
    const producer = await clients.producer();
    for (const value of ['1', '2', '3']) await producer.send({ topic, acks, messages: [{ value }] });
    await eventually(async () => (await admin.fetchTopicOffsets(topic))[0].high === '3');
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], 3);
    expect(received.map(textOf)).toEqual(['1', '2', '3']);
  });

  it('writes several topics in one request (sendBatch)', async () => {
    const topics = [uniqueName('batch'), uniqueName('batch')];
    const producer = await clients.producer();
    const sent = await producer.sendBatch({
      topicMessages: topics.map((topic) => ({ topic, messages: [{ value: topic }, { value: topic }] })),
    });
    expect(sent.map((s) => [s.topicName, s.errorCode]).sort()).toEqual(topics.map((topic) => [topic, 0]).sort());
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), topics, 4);
    expect(received.map(textOf).sort()).toEqual([...topics, ...topics].sort());
  });

  it('serves an idempotent producer without gaps or repetitions', async () => {
    const topic = uniqueName('idempotent');
    const producer = await clients.producer({ idempotent: true, maxInFlightRequests: 1 });
    for (let i = 0; i < 50; i++) await producer.send({ topic, messages: [{ value: String(i) }] });
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], 50);
    expect(received.map(textOf)).toEqual(times(50, String));
    expect(received.at(-1)?.message.offset).toBe('49');
  });

  it('refuses a message above max.message.bytes with MESSAGE_TOO_LARGE', async () => {
    const topic = uniqueName('large');
    const admin = await clients.admin();
    const configEntries = [{ name: 'max.message.bytes', value: '2000' }];
    await admin.createTopics({ topics: [{ topic, configEntries }] });
    const producer = await clients.producer();
    const large = producer.send({ topic, messages: [{ value: 'x'.repeat(3000) }] });
    await expect(large).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
    await producer.send({ topic, messages: [{ value: 'x'.repeat(1000) }] });
    expect((await admin.fetchTopicOffsets(topic))[0].high).toBe('1');
  });

  it('returns a first batch that is larger than the fetch limits', async () => {
    const topic = uniqueName('big');
    const producer = await clients.producer();
    const value = 'y'.repeat(600_000);
    await producer.send({ topic, messages: [{ value }] });
    const consumer = await clients.consumer({ groupId: uniqueName('g'), maxBytesPerPartition: 1000, maxBytes: 2000 });
    const received = await consumeAll(consumer, [topic], 1);
    expect(received.map(textOf)).toEqual([value]);
  });

  it('answers a waiting consumer soon after the produce', async () => {
    const topic = uniqueName('poll');
    const producer = await clients.producer();
    await producer.send({ topic, messages: [{ value: 'old' }] });
    const consumer = await clients.consumer({ groupId: uniqueName('g'), maxWaitTimeInMs: 3000 });
    const received = await consumeAll(consumer, [topic], 1);
    // The consumer now hangs in a fetch of up to 3 s, which the produce must end.
    const begin = Date.now();
    await producer.send({ topic, messages: [{ value: 'new' }] });
    await eventually(() => received.length === 2);
    expect(Date.now() - begin).toBeLessThan(1500);
  });

  it('starts at the end when not told otherwise', async () => {
    const topic = uniqueName('latest');
    const producer = await clients.producer();
    await producer.send({ topic, messages: [{ value: 'before' }] });
    const consumer = await clients.consumer({ groupId: uniqueName('g') });
    await consumer.subscribe({ topic, fromBeginning: false });
    const joined = new Promise((resolve) => consumer.on(consumer.events.FETCH, resolve));
    const received = await receive(consumer);
    await joined;
    await producer.send({ topic, messages: [{ value: 'after' }] });
    await eventually(() => received.length > 0);
    expect(received.map(textOf)).toEqual(['after']);
  });

  it('finds topics by a regular expression', async () => {
    const prefix = uniqueName('pattern');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic: `${prefix}.a` }, { topic: `${prefix}.b` }] });
    const producer = await clients.producer();
    for (const end of ['a', 'b']) await producer.send({ topic: `${prefix}.${end}`, messages: [{ value: end }] });
    const consumer = await clients.consumer({ groupId: uniqueName('g') });
    await consumer.subscribe({ topics: [new RegExp(`^${prefix}\\.`)], fromBeginning: true });
    const received = await receive(consumer);
    await eventually(() => received.length === 2);
    expect(received.map(textOf).sort()).toEqual(['a', 'b']);
  });
});
