import type { Broker } from '../broker.ts';
import { run as runCommand } from '../child.ts';
import { cpuSeconds } from '../proc.ts';
import { perMillion, type Run, type Scenario } from '../scenario.ts';
import { summary } from '../statistics.ts';
import { createTopic } from '../topics.ts';

const PARTITIONS = 6;
/** The JVM of the tool compiles for some seconds, which takes more of a shorter run: the faster broker would suffer for it. */
const WARM_UP_SHARE = 0.4;
/** How many records a broker that has just started is measured with. */
const FIRST_RECORDS = 1_000_000;

/** The records a second that the last line of ProducerPerformance reports: the run without its warm-up records. */
export function producerRate(output: string): number {
  const line = output.trim().split('\n').at(-1) ?? '';
  const rate = /records sent, ([\d.]+) records\/sec/.exec(line)?.[1];
  if (rate === undefined) throw new Error(`ProducerPerformance said: ${output.trim().slice(-500)}`);
  return Number(rate);
}

interface Produced {
  rate: number;
  cpu: number;
}

interface Load {
  readonly topic: string;
  readonly recordSizeBytes: number;
  readonly records: number;
  /** Of these records, those before the rate is measured. */
  readonly warmUpRecords: number;
}

async function produceOnce(run: Run, broker: Broker, load: Load): Promise<Produced> {
  const { topic, recordSizeBytes, records, warmUpRecords } = load;
  await run.settleDisk();
  await createTopic(broker.port, topic, PARTITIONS);
  const before = cpuSeconds(broker.pid);
  const output = await runCommand(
    run.kafkaTool('org.apache.kafka.tools.ProducerPerformance', [
      ...['--bootstrap-server', `127.0.0.1:${broker.port}`],
      ...['--topic', topic, '--record-size', `${recordSizeBytes}`, '--throughput', '-1'],
      ...['--num-records', `${records}`],
      ...(warmUpRecords > 0 ? ['--warmup-records', `${warmUpRecords}`] : []),
      ...['--command-property', 'acks=all', 'linger.ms=5'],
    ]),
  );
  // The CPU covers all records, the rate those after the warm-up of the tool.
  return { rate: producerRate(output), cpu: perMillion(cpuSeconds(broker.pid) - before, records) };
}

/**
 * The median of a few runs, each of a JVM and a topic of its own: what one JVM compiles, and when, moves a single run. More records
 * in one run would not do instead, since the kernel begins to write back at a tenth of the memory, in the middle of it.
 */
async function produce(run: Run, recordSizeBytes: number, records: number): Promise<Produced> {
  await run.warmUp();
  const produced: Produced[] = [];
  for (let i = 0; i < run.sizes.produceRuns; i++) {
    const topic = `bench-produce-${recordSizeBytes}-${i}`;
    const load = { topic, recordSizeBytes, records, warmUpRecords: records * WARM_UP_SHARE };
    produced.push(await produceOnce(run, run.broker, load));
  }
  return medians(produced);
}

/** The same against brokers that have just started, all records counted: what a test or a development run has of its broker. */
async function produceFirst(run: Run, recordSizeBytes: number): Promise<Produced> {
  const produced: Produced[] = [];
  for (let i = 0; i < run.sizes.produceRuns; i++) {
    const broker = await run.startFresh();
    try {
      const load = { topic: 'bench-first', recordSizeBytes, records: FIRST_RECORDS, warmUpRecords: 0 };
      produced.push(await produceOnce(run, broker, load));
    } finally {
      await broker.stop();
    }
  }
  return medians(produced);
}

function medians(produced: readonly Produced[]): Produced {
  const median = (key: keyof Produced): number => summary(produced.map((one) => one[key]))?.median ?? Number.NaN;
  return { rate: median('rate'), cpu: median('cpu') };
}

/** Kafka's own ProducerPerformance: 6 partitions, acks=all, linger.ms=5, otherwise its defaults (idempotent, 16 KiB batches). */
export const produce100: Scenario = {
  name: 'produce-100',
  title: "Kafka's ProducerPerformance, 100 B records",
  broker: 'shared',
  needsJava: true,
  metrics: [
    {
      key: 'produce.100.rate',
      label: 'produce 100 B',
      unit: 'records/s',
      better: 'higher',
      goal: { ratio: 1.5 },
      chart: true,
    },
    {
      key: 'produce.100.cpu',
      label: 'broker CPU, produce 100 B',
      unit: 's/M records',
      better: 'lower',
      goal: { ratio: 0.5 },
      chart: true,
    },
  ],
  async run(run) {
    const { rate, cpu } = await produce(run, 100, run.sizes.records100);
    return { 'produce.100.rate': rate, 'produce.100.cpu': cpu };
  },
};

/** The same with records of 1 KiB. */
export const produce1k: Scenario = {
  name: 'produce-1k',
  title: "Kafka's ProducerPerformance, 1 KiB records",
  broker: 'shared',
  needsJava: true,
  metrics: [
    {
      key: 'produce.1k.rate',
      label: 'produce 1 KiB',
      unit: 'records/s',
      better: 'higher',
      goal: { ratio: 1.3 },
      chart: true,
    },
    {
      key: 'produce.1k.cpu',
      label: 'broker CPU, produce 1 KiB',
      unit: 's/M records',
      better: 'lower',
      goal: { ratio: 0.5 },
      chart: true,
    },
  ],
  async run(run) {
    const { rate, cpu } = await produce(run, 1024, run.sizes.records1k);
    return { 'produce.1k.rate': rate, 'produce.1k.cpu': cpu };
  },
};

/** The first million records of a broker: neither it nor the tool is warm. */
export const produceFirst100: Scenario = {
  name: 'produce-first-100',
  title: "Kafka's ProducerPerformance, 100 B records, brokers just started",
  broker: 'none',
  needsJava: true,
  metrics: [
    {
      key: 'produce.first.100.rate',
      label: 'produce 100 B, first million after a start',
      unit: 'records/s',
      better: 'higher',
      goal: { ratio: 1.5 },
    },
    {
      key: 'produce.first.100.cpu',
      label: 'broker CPU, produce 100 B, first million',
      unit: 's/M records',
      better: 'lower',
      goal: { ratio: 0.5 },
    },
  ],
  async run(run) {
    const { rate, cpu } = await produceFirst(run, 100);
    return { 'produce.first.100.rate': rate, 'produce.first.100.cpu': cpu };
  },
};

/** The same with records of 1 KiB. */
export const produceFirst1k: Scenario = {
  name: 'produce-first-1k',
  title: "Kafka's ProducerPerformance, 1 KiB records, brokers just started",
  broker: 'none',
  needsJava: true,
  metrics: [
    {
      key: 'produce.first.1k.rate',
      label: 'produce 1 KiB, first million after a start',
      unit: 'records/s',
      better: 'higher',
      goal: { ratio: 1.3 },
    },
    {
      key: 'produce.first.1k.cpu',
      label: 'broker CPU, produce 1 KiB, first million',
      unit: 's/M records',
      better: 'lower',
      goal: { ratio: 0.5 },
    },
  ],
  async run(run) {
    const { rate, cpu } = await produceFirst(run, 1024);
    return { 'produce.first.1k.rate': rate, 'produce.first.1k.cpu': cpu };
  },
};
