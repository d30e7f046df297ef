import { run as runCommand } from '../child.ts';
import { cpuSeconds } from '../proc.ts';
import { perMillion, type Run, type Scenario } from '../scenario.ts';
import { summary } from '../statistics.ts';
import { createTopic } from '../topics.ts';

const PARTITIONS = 6;
/** The JVM of the tool compiles for some seconds, which takes more of a shorter run: the faster broker would suffer for it. */
const WARM_UP_SHARE = 0.4;

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

async function produceOnce(run: Run, topic: string, recordSizeBytes: number, records: number): Promise<Produced> {
  await run.settleDisk();
  await createTopic(run.broker.port, topic, PARTITIONS);
  const before = cpuSeconds(run.broker.pid);
  const output = await runCommand(
    run.kafkaTool('org.apache.kafka.tools.ProducerPerformance', [
      ...['--bootstrap-server', `127.0.0.1:${run.broker.port}`],
      ...['--topic', topic, '--record-size', `${recordSizeBytes}`, '--throughput', '-1'],
      ...['--num-records', `${records}`, '--warmup-records', `${records * WARM_UP_SHARE}`],
      ...['--command-property', 'acks=all', 'linger.ms=5'],
    ]),
  );
  // The CPU covers all records, the rate those after the warm-up of the tool.
  return { rate: producerRate(output), cpu: perMillion(cpuSeconds(run.broker.pid) - before, records) };
}

/**
 * The median of a few runs, each of a JVM and a topic of its own: what one JVM compiles, and when, moves a single run. More records
 * in one run would not do instead, since the kernel begins to write back at a tenth of the memory, in the middle of it.
 */
async function produce(run: Run, recordSizeBytes: number, records: number): Promise<Produced> {
  await run.warmUp();
  const produced: Produced[] = [];
  for (let i = 0; i < run.sizes.produceRuns; i++) {
    produced.push(await produceOnce(run, `bench-produce-${recordSizeBytes}-${i}`, recordSizeBytes, records));
  }
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
