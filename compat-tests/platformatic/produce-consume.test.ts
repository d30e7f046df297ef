import { ProduceAcks } from '@platformatic/kafka';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, pastMs, times, uniqueName } from '../helpers.ts';
import { topicsServe } from '../kafkajs/client.ts';
import { consumeAll, gather, usePlatformatic } from './clients.ts';

describeBrokers('@platformatic/kafka produces and consumes', (broker) => {
  const clients = usePlatformatic(() => broker.bootstrapServers);

  it('creates a topic on the first produce, gives offsets, and all messages in order', async () => {
    const topic = uniqueName('pf');
    const producer = clients.producer();
    const first = await producer.send({ messages: times(2, (i) => ({ topic, value: `a${i}` })) });
    expect(first.offsets).toEqual([{ topic, partition: 0, offset: 0n }]);
    const second = await producer.send({ messages: [{ topic, value: 'b' }] });
    expect(second.offsets).toEqual([{ topic, partition: 0, offset: 2n }]);
    const received = await consumeAll(clients.consumer(), [topic], 3);
    expect(received.map((m) => [m.offset, m.value])).toEqual([
      [0n, 'a0'],
      [1n, 'a1'],
      [2n, 'b'],
    ]);
  });

  it('carries keys, headers and timestamps', async () => {
    const topic = uniqueName('pf');
    const timestamp = BigInt(pastMs + 123);
    await clients
      .producer()
      .send({ messages: [{ topic, key: 'k', value: 'v é', headers: { a: '1', b: '' }, timestamp }] });
    const [message] = await consumeAll(clients.consumer(), [topic], 1);
    expect(message).toMatchObject({ key: 'k', value: 'v é', timestamp, partition: 0, topic });
    expect([...message.headers]).toEqual([
      ['a', '1'],
      ['b', ''],
    ]);
  });

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('compresses with %s', async (compression) => {
    const topic = uniqueName('pf');
    const values = times(200, (i) => `message ${i} ${'-'.repeat(i)}`);
    await clients.producer().send({ compression, messages: values.map((value) => ({ topic, value })) });
    const received = await consumeAll(clients.consumer(), [topic], 200);
    expect(received.map((m) => m.value)).toEqual(values);
  });

  it.each([
    ['all', ProduceAcks.ALL],
    ['the leader', ProduceAcks.LEADER],
    ['nobody', ProduceAcks.NO_RESPONSE],
  ] as const)('writes with the acknowledgement of %s', async (_who, acks) => {
    const topic = uniqueName('pf');
    await clients.admin().createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    await topicsServe(broker.bootstrapServers, [topic]);
    const producer = clients.producer({ acks });
    for (const value of ['1', '2', '3']) await producer.send({ messages: [{ topic, value }] });
    const received = await consumeAll(clients.consumer(), [topic], 3);
    expect(received.map((m) => m.value)).toEqual(['1', '2', '3']);
  });

  it('serves an idempotent producer', async () => {
    const topic = uniqueName('pf');
    const producer = clients.producer({ idempotent: true });
    const info = await producer.initIdempotentProducer({});
    expect(info.producerEpoch).toBe(0);
    for (let i = 0; i < 30; i++) await producer.send({ messages: [{ topic, value: String(i) }] });
    const received = await consumeAll(clients.consumer(), [topic], 30);
    expect(received.map((m) => m.value)).toEqual(times(30, String));
  });

  it('starts at the end, at the beginning, or at offsets told by hand', async () => {
    const topic = uniqueName('pf');
    const producer = clients.producer();
    await producer.send({ messages: times(5, (i) => ({ topic, value: String(i) })) });
    const latest = gather(await clients.consumer().consume({ topics: [topic], mode: 'latest' }));
    const manual = gather(
      await clients
        .consumer()
        .consume({ topics: [topic], mode: 'manual', offsets: [{ topic, partition: 0, offset: 3n }] }),
    );
    await eventually(() => manual.length === 2);
    await producer.send({ messages: [{ topic, value: 'new' }] });
    await eventually(() => latest.length === 1 && manual.length === 3);
    expect(latest.map((m) => m.value)).toEqual(['new']);
    expect(manual.map((m) => m.value)).toEqual(['3', '4', 'new']);
  });

  it('lists offsets, by time too, commits and lag', async () => {
    const topic = uniqueName('pf');
    const producer = clients.producer();
    for (const second of [1, 2, 3])
      await producer.send({ messages: [{ topic, value: 'x', timestamp: BigInt(pastMs + second * 1000) }] });
    const consumer = clients.consumer();
    expect((await consumer.listOffsets({ topics: [topic] })).get(topic)).toEqual([3n]);
    expect((await consumer.listOffsets({ topics: [topic], timestamp: -2n })).get(topic)).toEqual([0n]);
    const found = await consumer.listOffsetsWithTimestamps({ topics: [topic], timestamp: BigInt(pastMs + 2000) });
    expect(found.get(topic)?.get(0)).toEqual({ offset: 1n, timestamp: BigInt(pastMs + 2000) });
    await consumer.joinGroup({});
    await consumer.topics.trackAll(topic);
    await consumer.commit({ offsets: [{ topic, partition: 0, offset: 2n, leaderEpoch: 0 }] });
    const committed = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] });
    expect(committed.get(topic)).toEqual([2n]);
  });
});
