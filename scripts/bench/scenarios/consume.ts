import { run as runCommand } from '../child.ts';
import { cpuSeconds } from '../proc.ts';
import { perMillion, type Run, replay, type Scenario } from '../scenario.ts';

const BATCH_BYTES = 16 * 1024;

/** Records a second while fetching (without the time to join the group), from the last line of ConsumerPerformance. */
export function consumerRate(output: string): { records: number; rate: number } {
  const fields = (output.trim().split('\n').at(-1) ?? '').split(',').map((field) => field.trim());
  const [records, rate] = [Number(fields[4]), Number(fields[9])];
  if (fields.length !== 10 || !(records > 0 && rate > 0)) {
    throw new Error(`ConsumerPerformance said: ${output.trim().slice(-500)}`);
  }
  return { records, rate };
}

async function consume(run: Run, recordSizeBytes: number, records: number): Promise<{ rate: number; cpu: number }> {
  await run.warmUp();
  await run.settleDisk();
  const topic = `bench-consume-${recordSizeBytes}`;
  const filled = await replay(run, {
    topic,
    records,
    'record-bytes': recordSizeBytes,
    'batch-bytes': BATCH_BYTES,
  });
  const before = cpuSeconds(run.broker.pid);
  const output = await runCommand(
    run.kafkaTool('org.apache.kafka.tools.ConsumerPerformance', [
      ...['--bootstrap-server', `127.0.0.1:${run.broker.port}`, '--topic', topic],
      ...['--num-records', `${filled.records}`, '--timeout', '30000', '--hide-header'],
    ]),
  );
  const read = consumerRate(output);
  if (read.records < filled.records) throw new Error(`read ${read.records} of ${filled.records} records`);
  return { rate: read.rate, cpu: perMillion(cpuSeconds(run.broker.pid) - before, read.records) };
}

/** Kafka's own ConsumerPerformance over a topic of 6 partitions with batches of 16 KiB. */
export const consume100: Scenario = {
  name: 'consume-100',
  title: "Kafka's ConsumerPerformance, 100 B records",
  broker: 'shared',
  needsJava: true,
  metrics: [
    { key: 'consume.100.rate', label: 'consume 100 B', unit: 'records/s', better: 'higher', chart: true },
    {
      key: 'consume.100.cpu',
      label: 'broker CPU, consume 100 B',
      unit: 's/M records',
      better: 'lower',
      goal: { ratio: 1 },
      chart: true,
    },
  ],
  async run(run) {
    const { rate, cpu } = await consume(run, 100, run.sizes.records100);
    return { 'consume.100.rate': rate, 'consume.100.cpu': cpu };
  },
};

/** The same with records of 1 KiB. */
export const consume1k: Scenario = {
  name: 'consume-1k',
  title: "Kafka's ConsumerPerformance, 1 KiB records",
  broker: 'shared',
  needsJava: true,
  metrics: [
    { key: 'consume.1k.rate', label: 'consume 1 KiB', unit: 'records/s', better: 'higher', chart: true },
    {
      key: 'consume.1k.cpu',
      label: 'broker CPU, consume 1 KiB',
      unit: 's/M records',
      better: 'lower',
      goal: { ratio: 1 },
      chart: true,
    },
  ],
  async run(run) {
    const { rate, cpu } = await consume(run, 1024, run.sizes.records1k);
    return { 'consume.1k.rate': rate, 'consume.1k.cpu': cpu };
  },
};
