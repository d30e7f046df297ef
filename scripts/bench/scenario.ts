import type { Broker, Contestant } from './broker.ts';
import { type Command, runWorker, type WorkerOptions } from './child.ts';
import type { ReplayResult } from './replay.ts';

/** A figure that a scenario measures, and how to judge it. */
export interface Metric {
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** What odradek is to reach: the ratio odradek / Kafka, or a value of its own. */
  readonly goal?: { readonly ratio: number } | { readonly value: number };
  /** Whether the chart shows it. */
  readonly chart?: boolean;
}

/** How much work the scenarios do. */
export interface Sizes {
  readonly starts: number;
  readonly records100: number;
  readonly records1k: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly latencySeconds: number;
  readonly topics: number;
  readonly connections: number;
  /** How often a round measures ProducerPerformance; the median counts. */
  readonly produceRuns: number;
  readonly restartPartitions: number;
  readonly restarts: number;
  /** With a million keys. */
  readonly compactionRecords: number;
  /** Topics of 100 partitions each. */
  readonly manyTopics: number;
}

export const FULL: Sizes = {
  starts: 3,
  records100: 8_000_000,
  records1k: 1_500_000,
  seconds: 4,
  warmUpSeconds: 3,
  latencySeconds: 15,
  topics: 1000,
  connections: 1000,
  produceRuns: 3,
  restartPartitions: 1000,
  restarts: 3,
  compactionRecords: 6_000_000,
  manyTopics: 100,
};

export const QUICK: Sizes = {
  starts: 1,
  records100: 1_000_000,
  records1k: 200_000,
  seconds: 2,
  warmUpSeconds: 1,
  latencySeconds: 4,
  topics: 1000,
  connections: 1000,
  produceRuns: 1,
  restartPartitions: 100,
  restarts: 1,
  compactionRecords: 1_200_000,
  manyTopics: 10,
};

/** What a scenario works with. */
export interface Run {
  readonly sizes: Sizes;
  readonly contestant: Contestant;
  /** Absent for scenarios that start brokers themselves. */
  readonly broker: Broker;
  /** Starts a further broker of the contestant on a fresh data directory; the caller stops it. */
  startFresh(): Promise<Broker>;
  /** Starts a broker that has ended once more, on its data directory and port; the caller stops it. */
  startAgain(ended: Broker): Promise<Broker>;
  /** The command that runs one of Kafka's Java tools. */
  kafkaTool(className: string, args: string[]): Command;
  /** Puts load on the broker once, unmeasured, so that neither JIT compiler starts cold. */
  warmUp(): Promise<void>;
  /** Waits until what was written so far is on disk, so that the kernel does not write it back in the next measurement. */
  settleDisk(): Promise<void>;
  /** A word for the report, e.g. that the generator was the limit. */
  note(text: string): void;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** shared: runs on one broker with the other shared ones, in the order of the table; own: on a fresh one; none: starts its own. */
  readonly broker: 'shared' | 'own' | 'none';
  /** Whether it runs one of Kafka's own tools. */
  readonly needsJava?: boolean;
  /** Whether it says something only about brokers that keep their records in files. */
  readonly needsDisk?: boolean;
  /** Runs in the first round only: it writes so much that it would take most of the time of a bench. */
  readonly once?: boolean;
  readonly metrics: readonly Metric[];
  /** Gives a value for each metric, by key. */
  run(run: Run): Promise<Record<string, number>>;
}

const MILLION = 1e6;
const REPLAY = new URL('./replay.ts', import.meta.url);
const NEARLY_A_CORE = 0.9;

export function perMillion(cpuSeconds: number, records: number): number {
  return (cpuSeconds / records) * MILLION;
}

/** Runs the load generator against the broker of a run. */
export async function replay(run: Run, options: WorkerOptions): Promise<ReplayResult> {
  const result = await runWorker<ReplayResult>(REPLAY, { port: run.broker.port, pid: run.broker.pid, ...options });
  if (result.generatorCpuShare > NEARLY_A_CORE) run.note('the load generator used a whole core: it may be the limit');
  return result;
}
