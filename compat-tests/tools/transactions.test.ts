import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnBroker, startBroker } from '../brokers.ts';
import { describeBrokerKinds } from '../describe-brokers.ts';
import { eventually, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { runTool } from '../oracle/tool.ts';
import { lines, type Tools, table, toolsFor } from './tools.ts';

const properties = { 'transaction.state.log.num.partitions': '2', 'offsets.topic.num.partitions': '2' };

describeBrokerKinds('kafka-transactions, kafka-dump-log', (name) => {
  const oracle = oracleAvailable();
  if (!oracle.available) return it.skip(`SKIPPED, Kafka's tools cannot be run: ${oracle.reason}`, () => {});
  let broker: OwnBroker;
  let tools: Tools;
  beforeAll(async () => {
    broker = await startBroker(name, { properties });
    tools = toolsFor(broker);
  });
  afterAll(() => broker.remove());

  const transactions = async (...args: string[]): Promise<string> => tools.tool('TransactionsCommand', args);
  const rows = async (firstColumn: string, ...args: string[]): Promise<Record<string, string>[]> =>
    table(await transactions(...args), firstColumn);

  /** A transaction that is left open with one message. */
  async function openTransaction() {
    const topic = uniqueName('txn');
    const transactionalId = uniqueName('id');
    const client = kafkajs(broker.bootstrapServers);
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await admin.disconnect();
    const producer = client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'open' }] });
    return { topic, transactionalId, transaction, disconnect: () => producer.disconnect() };
  }

  it('lists and describes them', async () => {
    const { topic, transactionalId, transaction, disconnect } = await openTransaction();
    const listed = (await rows('TransactionalId', 'list')).find((row) => row.TransactionalId === transactionalId);
    expect(listed).toMatchObject({ Coordinator: '1', TransactionState: 'Ongoing' });
    const pattern = `${transactionalId.slice(0, -3)}.*`;
    const found = await rows('TransactionalId', 'list', '--transactional-id-pattern', pattern);
    expect(found.map((row) => row.TransactionalId)).toEqual([transactionalId]);
    const [described] = await rows('CoordinatorId', 'describe', '--transactional-id', transactionalId);
    expect(described).toMatchObject({
      CoordinatorId: '1',
      TransactionalId: transactionalId,
      ProducerEpoch: '0',
      TransactionState: 'Ongoing',
      TransactionTimeoutMs: '60000',
      TopicPartitions: `${topic}-0`,
    });
    const [producer] = await rows('ProducerId', 'describe-producers', '--topic', topic, '--partition', '0');
    expect(producer).toMatchObject({
      ProducerId: described.ProducerId,
      ProducerEpoch: '0',
      LatestCoordinatorEpoch: '-1',
      LastSequence: '0',
      CurrentTransactionStartOffset: '0',
    });
    await transaction.commit();
    await disconnect();
    const [after] = await eventually(async () => {
      const ended = await rows('CoordinatorId', 'describe', '--transactional-id', transactionalId);
      return ended[0].TransactionState === 'CompleteCommit' ? ended : undefined;
    });
    expect(after.TopicPartitions ?? '').toBe('');
  });

  it('finds what hangs, and aborts it', async () => {
    const { topic, disconnect } = await openTransaction();
    // nothing hangs as long as the coordinator knows of it
    expect(await rows('Topic', 'find-hanging', '--topic', topic, '--max-transaction-timeout', '0')).toEqual([]);
    const aborted = await transactions('abort', '--topic', topic, '--partition', '0', '--start-offset', '0');
    expect(aborted).toBe('');
    const [producer] = await rows('ProducerId', 'describe-producers', '--topic', topic, '--partition', '0');
    expect(producer.CurrentTransactionStartOffset).toBe('None');
    await disconnect();
  });

  it('can be read from the files of __transaction_state and of the partitions', async () => {
    const { topic, transactionalId, transaction, disconnect } = await openTransaction();
    await transaction.abort();
    await disconnect();
    const data = join(broker.directory, 'data');
    const dump = async (folder: string, file: string, ...more: string[]): Promise<string> => {
      const files = ['--files', join(data, folder, file), ...more];
      const { stdout, stderr, code } = await runTool('org.apache.kafka.tools.DumpLogSegments', files);
      if (code !== 0) throw new Error(`kafka-dump-log ended with ${code}:\n${stdout}${stderr}`);
      return stdout;
    };
    const folders = readdirSync(data).filter((folder) => folder.startsWith('__transaction_state-'));
    const states = await eventually(async () => {
      const dumps = await Promise.all(
        folders.map((folder) => dump(folder, '00000000000000000000.log', '--transaction-log-decoder')),
      );
      const mine = lines(dumps.join('\n')).filter((line) => line.includes(transactionalId));
      const found = mine.map((line) => /"transactionStatus":(\d)/.exec(line)?.[1]);
      return found.at(-1) === '5' ? found : undefined;
    });
    // Empty, Ongoing, PrepareAbort, CompleteAbort
    expect(states).toEqual(['0', '1', '3', '5']);
    const records = await dump(`${topic}-0`, '00000000000000000000.log', '--print-data-log');
    expect(records).toContain('endTxnMarker: ABORT coordinatorEpoch: 0');
    const index = await dump(`${topic}-0`, '00000000000000000000.txnindex');
    expect(index).toMatch(/version: 0 producerId: \d+ firstOffset: 0 lastOffset: 1 lastStableOffset: 2/);
  });
});
