import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnBroker, startBroker } from '../brokers.ts';
import { describeBrokerKinds } from '../describe-brokers.ts';
import { javaArgs, oracleAvailable } from '../oracle/jars.ts';
import { run } from '../oracle/tool.ts';

const properties = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' };

/** Java's clients go by KIP-890's protocol: Produce adds partitions, and the epoch rises with every transaction. */
describeBrokerKinds("Java's transactions", (name) => {
  const oracle = oracleAvailable();
  if (!oracle.available) return it.skip(`SKIPPED, Java's clients cannot be run: ${oracle.reason}`, () => {});
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await startBroker(name, { properties });
  });
  afterAll(() => broker.remove());

  /** What the scenario of Transactions.java has seen. */
  async function seen(scenario: string): Promise<string[]> {
    const program = join(import.meta.dirname, 'Transactions.java');
    const args = [...javaArgs({ flags: ['-XX:TieredStopAtLevel=1'] }), program, broker.bootstrapServers, scenario];
    const { stdout, stderr, code } = await run('java', args, { timeoutMs: 100_000 });
    if (code !== 0) throw new Error(`${scenario} ended with ${code}:\n${stdout}${stderr}`);
    const prefix = `${scenario}: `;
    return stdout.split('\n').flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
  }

  it('read, process and write exactly once, aborts between', async () => {
    expect(await seen('process')).toEqual([
      'committed 200, different 200',
      'some were aborted true, more uncommitted true',
      // of three partitions: what was read and the marker of the one transaction that wrote there
      'offsets 203',
    ]);
  });

  it('fence', async () => {
    expect(await seen('fencing')).toEqual([
      'send of the fenced InvalidProducerEpochException',
      'commit of the fenced InvalidProducerEpochException',
      'commit after fenceProducers ProducerFencedException',
      '[second]',
    ]);
  });

  it('are aborted when they take too long', async () => {
    expect(await seen('timeout')).toEqual(['commit InvalidTxnStateException', 'too long KafkaException', '[next]']);
  });

  it('are seen, or not, by the isolation level', async () => {
    expect(await seen('isolation')).toEqual([
      'latest 3, committed 0',
      '[one, two] []',
      'latest 4, committed 4',
      '[one, two] [two]',
    ]);
  });

  it('have an epoch each', async () => {
    expect(await seen('epochs')).toEqual([
      'begin 0 Empty',
      'Ongoing 0 1 in the log 0 since 0',
      'CompleteCommit 1',
      'Ongoing 1 1 in the log 1 since 2',
      'CompleteAbort 2',
      'Ongoing 2 1 in the log 2 since 4',
      'CompleteCommit 3',
      'Ongoing 3 1 in the log 3 since 6',
      'CompleteAbort 4',
    ]);
  });

  it('may be empty', async () => {
    expect(await seen('empty')).toEqual(['Empty 0']);
  });

  it('are ended by an administrator', async () => {
    expect(await seen('administration')).toEqual([
      'abort with an old epoch InvalidProducerEpochException',
      'abort done',
      'open since OptionalLong.empty, coordinator epoch OptionalInt[0]',
      '[before]',
      '[Ongoing]',
    ]);
  });

  it('end when a topic of theirs is gone', async () => {
    expect(await seen('deletion')).toEqual(['[stays]']);
  });
});
