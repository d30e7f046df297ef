import { afterEach, expect, it } from 'vitest';
import { eventually, times, uniqueName } from '../helpers.ts';
import { type Background, describeTools, lines, table } from './tools.ts';

describeTools(
  'kafka-producer-perf-test, -consumer-perf-test, -verifiable-producer and -consumer',
  ({ tool, background }) => {
    const running: Background[] = [];
    afterEach(() => Promise.all(running.splice(0).map((consumer) => consumer.stop())));

    it.each(['none', 'lz4'])('moves 50,000 records of 100 bytes there and back (%s)', async (codec) => {
      const topic = uniqueName('perf');
      await tool('TopicCommand', ['--create', '--topic', topic, '--partitions', '3']);
      const load = ['--topic', topic, '--num-records', '50000', '--record-size', '100', '--throughput', '-1'];
      const settings = ['acks=all', 'linger.ms=5', `compression.type=${codec}`].flatMap((p) => [
        '--command-property',
        p,
      ]);
      const sent = await tool('ProducerPerformance', [...load, ...settings]);
      expect(sent).toMatch(/^50000 records sent, .* records\/sec/m);
      const counted = await tool('GetOffsetShell', ['--topic', topic]);
      expect(lines(counted).reduce((sum, line) => sum + Number(line.split(':')[2]), 0)).toBe(50_000);
      const read = await tool('ConsumerPerformance', [
        '--topic',
        topic,
        '--num-records',
        '50000',
        '--timeout',
        '20000',
      ]);
      expect(Number(lines(read).at(-1)?.split(', ')[4])).toBeGreaterThanOrEqual(50_000);
    });

    it('acknowledges and hands out each message of the verifiable pair', async () => {
      const topic = uniqueName('verifiable');
      const said = lines(await tool('VerifiableProducer', ['--topic', topic, '--max-messages', '200', '--acks', '-1']));
      const events = said.map((line) => JSON.parse(line) as { name: string; offset?: number });
      const successes = events.filter((event) => event.name === 'producer_send_success');
      expect(successes.map((event) => event.offset)).toEqual(times(200, (i) => i));
      expect(events.at(-1)).toMatchObject({ name: 'tool_data', sent: 200, acked: 200 });

      const reader = background('VerifiableConsumer', [
        '--topic',
        topic,
        '--group-id',
        uniqueName('g'),
        '--reset-policy',
        'earliest',
        '--max-messages',
        '200',
      ]);
      running.push(reader);
      const seen = (): { name: string; count: number; success: boolean; offsets: unknown }[] =>
        lines(reader.output()).map((line) => JSON.parse(line));
      await eventually(() => seen().some((event) => event.name === 'offsets_committed'));
      const consumed = seen().filter((event) => event.name === 'records_consumed');
      await eventually(() => consumed.reduce((sum, event) => sum + event.count, 0) === 200);
      const commits = seen().filter((event) => event.name === 'offsets_committed');
      expect(commits.at(-1)).toMatchObject({ success: true, offsets: [{ topic, partition: 0, offset: 200 }] });
    });

    it('describes the idempotent producers of a partition (kafka-transactions)', async () => {
      const topic = uniqueName('producers');
      await tool('ConsoleProducer', ['--topic', topic], { stdin: 'a\nb\nc\n' });
      const printed = await tool('TransactionsCommand', ['describe-producers', '--topic', topic, '--partition', '0']);
      expect(table(printed, 'ProducerId')).toMatchObject([
        { ProducerEpoch: '0', LatestCoordinatorEpoch: '-1', LastSequence: '2', CurrentTransactionStartOffset: 'None' },
      ]);
    });
  },
);
