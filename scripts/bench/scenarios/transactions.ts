import { fileURLToPath } from 'node:url';
import { run as runCommand } from '../child.ts';
import type { Run, Scenario } from '../scenario.ts';

const LOAD = fileURLToPath(new URL('../TransactionLoad.java', import.meta.url));
const PARTITIONS = 6;
const RECORDS = 10;
const RECORD_BYTES = 100;
const PRODUCERS = [1, 8];

async function load(run: Run, producers: number): Promise<{ rate: number; meanMs: number }> {
  await run.settleDisk();
  const { warmUpSeconds, seconds } = run.sizes;
  const shape = [PARTITIONS, producers, RECORDS, RECORD_BYTES, warmUpSeconds, seconds].map(String);
  const server = `127.0.0.1:${run.broker.port}`;
  const output = await runCommand(run.kafkaTool(LOAD, [server, `bench-transactions-${producers}`, ...shape]));
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as { rate: number; meanMs: number };
}

/** Java's producers, 1 and 8 of them: each transaction writes 10 records of 100 B over 6 partitions and is committed. */
export const transactions: Scenario = {
  name: 'transactions',
  title: "transactions of Java's producer",
  broker: 'own',
  needsJava: true,
  metrics: PRODUCERS.flatMap((producers) => [
    {
      key: `transactions.${producers}.rate`,
      label: `transactions, ${producers} at a time`,
      unit: 'transactions/s',
      better: 'higher' as const,
      goal: { ratio: 1 },
    },
    {
      key: `transactions.${producers}.mean`,
      label: `time of a transaction, ${producers} at a time`,
      unit: 'ms',
      better: 'lower' as const,
    },
  ]),
  async run(run) {
    const results: Record<string, number> = {};
    for (const producers of PRODUCERS) {
      const { rate, meanMs } = await load(run, producers);
      results[`transactions.${producers}.rate`] = rate;
      results[`transactions.${producers}.mean`] = meanMs;
    }
    return results;
  },
};
