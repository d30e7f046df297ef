import { expect, it } from 'vitest';
import { pastMs, times, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { describeTools, inputFile, lines, printed } from './tools.ts';

describeTools(
  'kafka-get-offsets, -delete-records, -log-dirs, -replica-verification',
  ({ tool, attempt, background }, broker) => {
    /** A topic of two partitions: five messages at seconds 1 to 5 in the first, none in the second. */
    async function filledTopic(): Promise<string> {
      const topic = uniqueName('log');
      const admin = kafkajs(broker.bootstrapServers).admin();
      const producer = kafkajs(broker.bootstrapServers).producer();
      await Promise.all([admin.connect(), producer.connect()]);
      await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
      for (const second of [1, 2, 3, 4, 5])
        await producer.send({
          topic,
          messages: [{ value: 'x', partition: 0, timestamp: String(pastMs + second * 1000) }],
        });
      await Promise.all([admin.disconnect(), producer.disconnect()]);
      return topic;
    }

    it('gives offsets by every kind of time', async () => {
      const topic = await filledTopic();
      const offsets = async (time: string): Promise<string[]> =>
        lines(await tool('GetOffsetShell', ['--topic', topic, '--time', time]));
      expect(await offsets('latest')).toEqual([`${topic}:0:5`, `${topic}:1:0`]);
      expect(await offsets('earliest')).toEqual([`${topic}:0:0`, `${topic}:1:0`]);
      expect(await offsets('max-timestamp')).toEqual([`${topic}:0:4`]);
      expect(await offsets(String(pastMs + 3000))).toEqual([`${topic}:0:2`]);
      expect(await offsets('earliest-local')).toEqual([`${topic}:0:0`, `${topic}:1:0`]);
      expect(await offsets('latest-tiered')).toEqual([]);
      const some = await tool('GetOffsetShell', ['--topic-partitions', `${topic}:0`]);
      expect(lines(some)).toEqual([`${topic}:0:5`]);
    });

    it('deletes records', async () => {
      const topic = await filledTopic();
      const file = (offset: number): string =>
        inputFile(JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset }] }));
      const done = await tool('DeleteRecordsCommand', ['--offset-json-file', file(3)]);
      expect(done).toContain(`partition: ${topic}-0\tlow_watermark: 3`);
      expect(lines(await tool('GetOffsetShell', ['--topic', topic, '--time', 'earliest']))[0]).toBe(`${topic}:0:3`);
      const beyond = await attempt('DeleteRecordsCommand', ['--offset-json-file', file(99)]);
      expect(beyond.stdout).toContain('OffsetOutOfRangeException');
    });

    it('describes log directories with sizes', async () => {
      const topic = await filledTopic();
      const description = lines(await tool('LogDirsCommand', ['--describe', '--topic-list', topic])).at(-1);
      const { brokers } = JSON.parse(description ?? '');
      expect(brokers).toMatchObject([{ broker: 1, logDirs: [{ error: null }] }]);
      const partitions = brokers[0].logDirs[0].partitions as { partition: string; size: number }[];
      const sorted = partitions.sort((a, b) => a.partition.localeCompare(b.partition));
      // Five batches of one record without key, of one byte: 61 bytes of header and 8 of record each.
      const size = (i: number): number => (i === 0 ? 5 * 69 : 0);
      expect(sorted).toEqual(
        times(2, (i) => ({ partition: `${topic}-${i}`, size: size(i), offsetLag: 0, isFuture: false })),
      );
    });

    it('verifies replicas: no lag', async () => {
      const topic = await filledTopic();
      const args = ['--topics-include', topic, '--report-interval-ms', '500'];
      const verification = background('ReplicaVerificationTool', args);
      try {
        const report = await printed(verification, /max lag is .*/);
        expect(report).toMatch(/max lag is 0 for partition \S+ at offset \d+ among 2 partitions/);
      } finally {
        await verification.stop();
      }
    });
  },
);
