import type { Batch } from 'kafkajs';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, times, uniqueName } from '../helpers.ts';
import { receive, textOf, useKafkajs } from './clients.ts';

describeBrokers('kafkajs offsets', (broker) => {
  const clients = useKafkajs(() => broker.bootstrapServers);

  /** A topic of one partition that holds the values '0' to `count - 1`, ten to a batch. */
  async function filledTopic(count: number): Promise<string> {
    const topic = uniqueName('filled');
    const producer = await clients.producer();
    for (let at = 0; at < count; at += 10) {
      const values = times(Math.min(10, count - at), (i) => ({ value: String(at + i) }));
      await producer.send({ topic, messages: values });
    }
    return topic;
  }

  it('seeks to an offset, also one in the middle of a batch', async () => {
    const topic = await filledTopic(40);
    const consumer = await clients.consumer({ groupId: uniqueName('g') });
    await consumer.subscribe({ topic, fromBeginning: true });
    const received = await receive(consumer);
    consumer.seek({ topic, partition: 0, offset: '25' });
    await eventually(() => received.length >= 15);
    expect(received.map(textOf)).toEqual(times(15, (i) => String(25 + i)));
    received.length = 0;
    consumer.seek({ topic, partition: 0, offset: '38' });
    await eventually(() => received.length === 2);
    expect(received.map((r) => r.message.offset)).toEqual(['38', '39']);
  });

  it.each([
    ['the beginning', true, '0'],
    ['the end', false, 'after'],
  ])('starts again at %s after a seek beyond the end', async (_where, fromBeginning, expected) => {
    const topic = await filledTopic(10);
    const consumer = await clients.consumer({ groupId: uniqueName('g') });
    await consumer.subscribe({ topic, fromBeginning });
    const received = await receive(consumer);
    consumer.seek({ topic, partition: 0, offset: '1000' });
    const producer = await clients.producer();
    await eventually(async () => {
      if (!fromBeginning) await producer.send({ topic, messages: [{ value: 'after' }] });
      return received.length > 0;
    });
    expect(textOf(received[0])).toBe(expected);
  });

  it('pauses and resumes a partition', async () => {
    const topic = await filledTopic(10);
    const consumer = await clients.consumer({ groupId: uniqueName('g') });
    await consumer.subscribe({ topic, fromBeginning: true });
    const received = await receive(consumer);
    await eventually(() => received.length === 10);
    consumer.pause([{ topic }]);
    expect(consumer.paused()).toEqual([{ topic, partitions: [0] }]);
    const producer = await clients.producer();
    await producer.send({ topic, messages: [{ value: 'while paused' }] });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(received).toHaveLength(10);
    consumer.resume([{ topic }]);
    await eventually(() => received.length === 11);
    expect(textOf(received[10])).toBe('while paused');
  });

  it('commits by hand, with metadata, and gives it back', async () => {
    const topic = await filledTopic(10);
    const groupId = uniqueName('g');
    const consumer = await clients.consumer({ groupId });
    await consumer.subscribe({ topic, fromBeginning: true });
    let seen = 0;
    await consumer.run({
      autoCommit: false,
      eachMessage: async () => {
        seen += 1;
      },
    });
    await eventually(() => seen === 10);
    const admin = await clients.admin();
    const committed = async (): Promise<unknown> =>
      (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions;
    expect(await committed()).toEqual([{ partition: 0, offset: '-1', metadata: null }]);
    await consumer.commitOffsets([{ topic, partition: 0, offset: '7', metadata: 'by hand é' }]);
    expect(await committed()).toEqual([{ partition: 0, offset: '7', metadata: 'by hand é' }]);
  });

  it('hands out whole batches with high watermark and lag (eachBatch)', async () => {
    const topic = await filledTopic(40);
    const consumer = await clients.consumer({ groupId: uniqueName('g') });
    await consumer.subscribe({ topic, fromBeginning: true });
    const batches: Batch[] = [];
    await consumer.run({
      eachBatch: async ({ batch }) => {
        batches.push(batch);
      },
    });
    await eventually(() => batches.flatMap((b) => b.messages).length === 40);
    expect(batches.flatMap((b) => b.messages).map((m) => m.offset)).toEqual(times(40, String));
    expect(batches[0].highWatermark).toBe('40');
    expect(batches.at(-1)?.offsetLag()).toBe('0');
  });

  it('resolves offsets inside a batch and commits what was resolved', async () => {
    const topic = await filledTopic(10);
    const groupId = uniqueName('g');
    const consumer = await clients.consumer({ groupId });
    await consumer.subscribe({ topic, fromBeginning: true });
    let resolved = false;
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, heartbeat, commitOffsetsIfNecessary, uncommittedOffsets }) => {
        if (resolved) return;
        for (const message of batch.messages.slice(0, 4)) resolveOffset(message.offset);
        await heartbeat();
        await commitOffsetsIfNecessary(uncommittedOffsets());
        resolved = true;
      },
    });
    const admin = await clients.admin();
    await eventually(() => resolved);
    const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
    expect(partitions).toMatchObject([{ partition: 0, offset: '4' }]);
  });
});
