import { runWorker } from '../child.ts';
import type { RoundTripsResult } from '../round-trips.ts';
import type { Scenario } from '../scenario.ts';
import { createTopic } from '../topics.ts';

const WORKER = new URL('../round-trips.ts', import.meta.url);
const TOPIC = 'bench-durable';
const PARTITIONS = 6;
const CONNECTIONS = [1, 16, 64];

/** acks=all on a topic with flush.messages=1: each record of 1 KiB is on disk before its answer; 1, 16 and 64 producers that wait. */
export const durable: Scenario = {
  name: 'durable',
  title: 'produce with flush.messages=1',
  broker: 'own',
  needsDisk: true,
  metrics: CONNECTIONS.flatMap((connections) => [
    {
      key: `durable.${connections}.rate`,
      label: `flushed produce, ${connections} at a time`,
      unit: 'records/s',
      better: 'higher' as const,
      goal: { ratio: 1 },
      chart: connections > 1,
    },
    {
      key: `durable.${connections}.p99`,
      label: `its p99, ${connections} at a time`,
      unit: 'ms',
      better: 'lower' as const,
      goal: { ratio: 1 },
    },
  ]),
  async run(run) {
    await run.warmUp();
    await createTopic(run.broker.port, TOPIC, PARTITIONS, { 'flush.messages': '1' });
    const values: Record<string, number> = {};
    for (const connections of CONNECTIONS) {
      await run.settleDisk();
      const result = await runWorker<RoundTripsResult>(WORKER, {
        port: run.broker.port,
        topic: TOPIC,
        partitions: PARTITIONS,
        connections,
        seconds: run.sizes.seconds,
      });
      values[`durable.${connections}.rate`] = result.rate;
      values[`durable.${connections}.p99`] = result.p99;
    }
    return values;
  },
};
