/**
 * Simulations from seeds:
 *
 *   node scripts/simulate.ts storage --seeds 10000 [--from 1] [--trace]
 *   node scripts/simulate.ts coordinator --seeds 10000
 *   node scripts/simulate.ts transaction --seeds 10000
 *   node scripts/simulate.ts classic-group|consumer-group|share-group|share-records|streams-group --seeds 10000
 *
 * Ends at the first seed that fails, with the command that repeats it.
 */
import { parseArgs } from 'node:util';
import { ConsumerSimulation } from '../test/group/consumer/simulation.ts';
import { ShareSimulation } from '../test/group/share/simulation.ts';
import { Simulation } from '../test/group/simulation.ts';
import { StreamsSimulation } from '../test/group/streams/simulation.ts';
import { ShareRecordsSimulation } from '../test/share/simulation.ts';
import { CoordinatorSimulation } from '../test/sim/coordinator-simulation.ts';
import { StorageSimulation } from '../test/sim/storage-simulation.ts';
import { TransactionSimulation } from '../test/sim/transaction-simulation.ts';

const SIMULATIONS: Record<string, (seed: number, trace?: (line: string) => void) => Promise<void>> = {
  storage: (seed, trace) => StorageSimulation.run(seed, trace),
  coordinator: (seed, trace) => CoordinatorSimulation.run(seed, trace),
  transaction: (seed, trace) => TransactionSimulation.run(seed, trace),
  'classic-group': (seed) => runGroup(new Simulation(seed)),
  'consumer-group': (seed) => runGroup(new ConsumerSimulation(seed)),
  'share-group': (seed) => runGroup(new ShareSimulation(seed)),
  'share-records': (seed) => runGroup(new ShareRecordsSimulation(seed)),
  'streams-group': (seed) => runGroup(new StreamsSimulation(seed)),
};

/** Virtual time of members and coordinators of one group. */
const GROUP_MS = 20_000;

async function runGroup(simulation: { run(ms: number): Promise<void>; readonly violations: readonly string[] }) {
  await simulation.run(GROUP_MS);
  if (simulation.violations.length > 0) throw new Error(simulation.violations.slice(0, 5).join('\n'));
}

const REPORT_EVERY_MS = 10_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean' },
  },
});
const name = positionals[0] ?? '';
const simulate = SIMULATIONS[name];
const seeds = Number(values.seeds);
const from = Number(values.from);
if (simulate === undefined || !Number.isSafeInteger(seeds) || !Number.isSafeInteger(from)) {
  console.error(
    `usage: node scripts/simulate.ts ${Object.keys(SIMULATIONS).join('|')} [--seeds N] [--from N] [--trace]`,
  );
  process.exit(2);
}

const startedMs = performance.now();
let reportedMs = startedMs;
for (let seed = from; seed < from + seeds; seed++) {
  try {
    await simulate(seed, values.trace ? console.log : undefined);
  } catch (error) {
    console.error(`seed ${seed} failed; again with: node scripts/simulate.ts ${name} --seeds 1 --from ${seed} --trace`);
    console.error(error);
    process.exit(1);
  }
  if (performance.now() - reportedMs > REPORT_EVERY_MS) {
    reportedMs = performance.now();
    console.log(progress(seed - from + 1));
  }
}
console.log(`${progress(seeds)}: no failure`);

function progress(done: number): string {
  const seconds = (performance.now() - startedMs) / 1000;
  return `${done} seeds in ${seconds.toFixed(1)} s (${(done / seconds).toFixed(0)} a second)`;
}
