import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, uniqueName } from '../helpers.ts';
import { receive, textOf, useKafkajs } from './clients.ts';

/** kafkajs goes by the protocol before KIP-890: partitions are added first, the epoch stays. */
describeBrokers('kafkajs transactions', (broker) => {
  const clients = useKafkajs(() => broker.bootstrapServers);

  const transactional = (transactionalId: string) =>
    clients.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });

  /** What a consumer sees of a topic from its beginning on, up to a message `last`. */
  async function valuesUpTo(topic: string, last: string, readUncommitted: boolean): Promise<string[]> {
    const consumer = await clients.consumer({ groupId: uniqueName('g'), readUncommitted });
    await consumer.subscribe({ topic, fromBeginning: true });
    const received = await receive(consumer);
    await eventually(() => received.some((one) => textOf(one) === last));
    return received.map(textOf);
  }

  async function newTopic(numPartitions = 1): Promise<string> {
    const topic = uniqueName('txn');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic, numPartitions }] });
    return topic;
  }

  it('shows what is committed, and hides what is aborted from those who read committed', async () => {
    const topic = await newTopic();
    const producer = await transactional(uniqueName('id'));
    const committed = await producer.transaction();
    await committed.send({ topic, messages: [{ value: 'a1' }, { value: 'a2' }] });
    await committed.send({ topic, messages: [{ value: 'a3' }] });
    await committed.commit();
    const aborted = await producer.transaction();
    await aborted.send({ topic, messages: [{ value: 'b1' }] });
    await aborted.abort();
    const last = await producer.transaction();
    await last.send({ topic, messages: [{ value: 'c1' }] });
    await last.commit();
    expect(await valuesUpTo(topic, 'c1', false)).toEqual(['a1', 'a2', 'a3', 'c1']);
    expect(await valuesUpTo(topic, 'c1', true)).toEqual(['a1', 'a2', 'a3', 'b1', 'c1']);
  });

  it('holds back what comes after an open transaction', async () => {
    const topic = await newTopic();
    const producer = await transactional(uniqueName('id'));
    const plain = await clients.producer();
    const open = await producer.transaction();
    await open.send({ topic, messages: [{ value: 'open' }] });
    await plain.send({ topic, messages: [{ value: 'plain' }] });
    expect(await valuesUpTo(topic, 'plain', true)).toEqual(['open', 'plain']);
    const consumer = await clients.consumer({ groupId: uniqueName('g'), readUncommitted: false });
    await consumer.subscribe({ topic, fromBeginning: true });
    const received = await receive(consumer);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(received).toEqual([]);
    await open.commit();
    await eventually(() => received.length === 2);
    expect(received.map(textOf)).toEqual(['open', 'plain']);
  });

  it('commits offsets with the transaction, or not at all', async () => {
    const topic = await newTopic(2);
    const groupId = uniqueName('g');
    const admin = await clients.admin();
    const producer = await transactional(uniqueName('id'));
    const offsets = async (): Promise<string[]> => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset);
    };
    const sendOffsets = (offset: string) => ({
      consumerGroupId: groupId,
      topics: [{ topic, partitions: [{ partition: 1, offset }] }],
    });
    const aborted = await producer.transaction();
    await aborted.send({ topic, messages: [{ value: 'x', partition: 0 }] });
    await aborted.sendOffsets(sendOffsets('7'));
    await aborted.abort();
    await eventually(async () => (await offsets())[1] === '-1');
    const committed = await producer.transaction();
    await committed.send({ topic, messages: [{ value: 'y', partition: 0 }] });
    await committed.sendOffsets(sendOffsets('9'));
    await committed.commit();
    await eventually(async () => (await offsets())[1] === '9');
    expect(await offsets()).toEqual(['-1', '9']);
  });

  it('reads, processes and writes', async () => {
    const [source, sink] = [await newTopic(), await newTopic()];
    const groupId = uniqueName('g');
    const plain = await clients.producer();
    const values = Array.from({ length: 20 }, (_, i) => ({ value: String(i) }));
    await plain.send({ topic: source, messages: values });
    const producer = await transactional(uniqueName('id'));
    const consumer = await clients.consumer({ groupId, readUncommitted: false });
    await consumer.subscribe({ topic: source, fromBeginning: true });
    let count = 0;
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        const transaction = await producer.transaction();
        await transaction.send({ topic: sink, messages: [{ value: `out ${message.value}` }] });
        const offset = String(Number(message.offset) + 1);
        const topics = [{ topic: source, partitions: [{ partition, offset }] }];
        await transaction.sendOffsets({ consumerGroupId: groupId, topics });
        await transaction.commit();
        count++;
      },
    });
    await eventually(() => count === 20);
    const seen = await valuesUpTo(sink, 'out 19', false);
    expect(seen).toEqual(values.map(({ value }) => `out ${value}`));
    const admin = await clients.admin();
    await eventually(async () => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [source] });
      return partitions[0].offset === '20';
    });
  });

  it('fences a producer when a second one takes its transactional id', async () => {
    const topic = await newTopic();
    const transactionalId = uniqueName('id');
    const first = await transactional(transactionalId);
    const open = await first.transaction();
    await open.send({ topic, messages: [{ value: 'of the first' }] });
    const second = await transactional(transactionalId);
    const next = await second.transaction();
    await next.send({ topic, messages: [{ value: 'of the second' }] });
    await next.commit();
    await expect(open.send({ topic, messages: [{ value: 'too late' }] })).rejects.toThrow();
    expect(await valuesUpTo(topic, 'of the second', false)).toEqual(['of the second']);
  });
});
