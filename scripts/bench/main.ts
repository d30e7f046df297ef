/** `npm run bench`: Apache Kafka and odradek side by side. See USAGE, and docs/benchmark.md for how the figures are obtained. */
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Contestant } from './broker.ts';
import { chart } from './chart.ts';
import { kafka, kafkaMissing } from './contestants/kafka.ts';
import { buildKfake, kfake } from './contestants/kfake.ts';
import { buildOdradek, odradek } from './contestants/odradek.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { briefFailure, figures, formatTable, type Report } from './report.ts';
import { Rounds } from './rounds.ts';
import { FULL, QUICK, type Scenario } from './scenario.ts';
import { compaction } from './scenarios/compaction.ts';
import { connections } from './scenarios/connections.ts';
import { consume1k, consume100 } from './scenarios/consume.ts';
import { durable } from './scenarios/durable.ts';
import { fetch } from './scenarios/fetch.ts';
import { groups, groupsRestart } from './scenarios/groups.ts';
import { latency } from './scenarios/latency.ts';
import { memoryIdle, memoryLoaded } from './scenarios/memory.ts';
import { partitions10k } from './scenarios/partitions.ts';
import { produce1k, produce100, produceFirst1k, produceFirst100 } from './scenarios/produce.ts';
import { replay } from './scenarios/replay.ts';
import { restart } from './scenarios/restart.ts';
import { slowReader } from './scenarios/slow-reader.ts';
import { start } from './scenarios/start.ts';
import { topics } from './scenarios/topics.ts';
import { transactions } from './scenarios/transactions.ts';

/** In the order in which they run and appear; those on the shared broker build on one another (idle first, after load last). */
const SCENARIOS: readonly Scenario[] = [
  start,
  produceFirst100,
  produceFirst1k,
  memoryIdle,
  produce100,
  produce1k,
  consume100,
  consume1k,
  replay,
  fetch,
  latency,
  memoryLoaded,
  topics,
  connections,
  slowReader,
  durable,
  groups,
  groupsRestart,
  transactions,
  compaction,
  partitions10k,
  restart,
];

const USAGE = `npm run bench -- [options]

  --rounds N                how often each contestant runs (3; 1 with --quick)
  --quick                   short runs: to see that all works, not for figures
  --only a,b                contestants: kafka, odradek, kfake (kafka,odradek)
  --kfake                   franz-go's kfake too (needs Go)
  --scenarios a,b           ${SCENARIOS.map(({ name }) => name).join(', ')}
  --publish                 write docs/bench.json and docs/bench.svg too (a full run in which kafka and odradek did not fail)
  --source                  odradek from src/main.ts, not the bundle
  --odradek-node-flags=F    flags for odradek's node, e.g. '--cpu-prof'; profiles end up in bench-results/profiles
  --odradek-set k=v         a setting of odradek; may be repeated
  --port N                  first of the 40 ports used (19200)
  --tmp DIR                 where the data directories go (the system's directory for temporary files)
  --keep                    keep the data directories

Profile one scenario: npm run bench -- --only odradek --scenarios replay --rounds 1 --odradek-node-flags='--cpu-prof'
`;

const root = join(import.meta.dirname, '..', '..');
const resultsDirectory = join(root, 'bench-results');
const TMPFS_MAGIC = 0x01021994;
const BUSY_LOAD = 0.5;

const log = (line: string): void => void process.stderr.write(`${line}\n`);

/** Gives the contestant, or says why it cannot take part. */
async function contestant(name: string, options: BenchOptions): Promise<Contestant | string> {
  if (name === 'kafka') return kafkaMissing() ?? kafka;
  if (name === 'kfake') return (await buildKfake()) ?? kfake;
  if (name === 'odradek') return (await buildOdradek(options)) ?? odradek(options);
  throw new Error(`unknown contestant ${name}: kafka, odradek and kfake are there`);
}

/** A machine that does other work as well gives poor figures: said in the report. */
function busyNote(): string[] {
  const load = loadavg()[0];
  return load > BUSY_LOAD ? [`the machine was busy (load ${load.toFixed(1)}) when the bench began`] : [];
}

function quickNote(quick: boolean): string[] {
  return quick ? ['a quick run: short, and smaller than the names of some figures say'] : [];
}

async function contestants(options: BenchOptions): Promise<Contestant[]> {
  const found: Contestant[] = [];
  for (const name of options.contestants) {
    const one = await contestant(name, options);
    if (typeof one === 'string') log(`left out: ${name}: ${one}`);
    else found.push(one);
  }
  if (found.length === 0) throw new Error('no contestant can run here');
  return found;
}

function chosenScenarios(names: string[] | undefined): Scenario[] {
  const unknown = names?.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`unknown scenarios: ${unknown.join(', ')}`);
  const javaMissing = kafkaMissing();
  return SCENARIOS.filter((scenario) => {
    if (names && !names.includes(scenario.name)) return false;
    if (!scenario.needsJava || !javaMissing) return true;
    log(`left out: ${scenario.name}: ${javaMissing}`);
    return false;
  });
}

function machine(temporaryDirectory: string): Report['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release()}`,
    data: statfsSync(temporaryDirectory).type === TMPFS_MAGIC ? 'in memory (tmpfs)' : 'on disk, page cache',
  };
}

function publish(report: Report, options: BenchOptions): void {
  const compared = report.figures.some(({ ratio }) => ratio);
  // kfake keeps all in memory, and does not survive every scenario.
  const isWhole = report.failures.every((line) => line.startsWith('kfake'));
  if (options.quick || options.scenarios || !isWhole || !compared) {
    throw new Error('not published: that takes a full run in which kafka and odradek do not fail');
  }
  const published: Report = { ...report, failures: report.failures.map(briefFailure) };
  writeFileSync(join(root, 'docs', 'bench.json'), `${JSON.stringify(published, null, 2)}\n`);
  writeFileSync(join(root, 'docs', 'bench.svg'), chart(report.figures));
  log('wrote docs/bench.json and docs/bench.svg');
}

function save(report: Report): void {
  mkdirSync(resultsDirectory, { recursive: true });
  const file = join(resultsDirectory, `${report.date.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  log(`wrote ${file}`);
}

function print(report: Report): void {
  const names = Object.keys(report.contestants);
  console.log(`\n${formatTable(report.figures, names)}\n`);
  const rounds = report.rounds === 1 ? 'One round' : `Median of ${report.rounds} rounds`;
  console.log(`${rounds}; ratios within a round, then median (least..greatest).`);
  for (const [name, description] of Object.entries(report.contestants)) console.log(`${name}: ${description}.`);
  console.log(
    Object.entries(report.machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join('; '),
  );
  for (const note of report.notes) console.log(`note: ${note}`);
  for (const failure of report.failures) console.log(`FAILED: ${failure}`);
}

async function bench(options: BenchOptions): Promise<Report> {
  const scenarios = chosenScenarios(options.scenarios);
  const busy = busyNote();
  const taking = await contestants(options);
  const rounds = new Rounds({
    rounds: options.rounds,
    sizes: options.quick ? QUICK : FULL,
    firstPort: options.port,
    temporaryDirectory: options.temporaryDirectory,
    keep: options.keep,
    profileDirectory: join(resultsDirectory, 'profiles'),
    log,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      rounds.cleanUp();
      process.exit(130);
    });
  }
  try {
    const profiling = options.nodeFlags.length > 0;
    for (const one of taking) if (!profiling) await rounds.rehearse(one);
    await rounds.run(taking, scenarios);
  } finally {
    rounds.cleanUp();
  }
  return {
    date: new Date().toISOString(),
    machine: machine(options.temporaryDirectory),
    quick: options.quick,
    rounds: options.rounds,
    contestants: Object.fromEntries(taking.map(({ name, description }) => [name, description])),
    figures: figures(
      scenarios.flatMap(({ metrics }) => metrics),
      rounds.results,
    ),
    notes: [...quickNote(options.quick), ...busy, ...rounds.notes],
    failures: rounds.failures,
  };
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else {
    const report = await bench(options);
    print(report);
    save(report);
    if (options.publish) publish(report, options);
    if (report.failures.length > 0) process.exitCode = 1;
  }
} catch (error) {
  log(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
