import { perMillion, replay as runReplay, type Scenario } from '../scenario.ts';

/** The shapes of load: what a request carries. */
const SHAPES = [
  { key: '16k', label: '16 KiB batches', options: { 'batch-bytes': 16 * 1024 } },
  { key: '6x16k', label: '6 x 16 KiB a request', options: { 'batch-bytes': 16 * 1024, 'batches-per-request': 6 } },
  { key: '64k', label: '64 KiB batches', options: { 'batch-bytes': 64 * 1024 } },
] as const;

/** Prepared produce requests, 100 B records, 6 partitions, acks=all, 4 connections with 5 requests in flight. */
export const replay: Scenario = {
  name: 'replay',
  title: "prepared produce requests: the broker's ceiling",
  broker: 'shared',
  metrics: SHAPES.flatMap(({ key, label }) => [
    {
      key: `replay.${key}.rate`,
      label: `replay, ${label}`,
      unit: 'records/s',
      better: 'higher' as const,
      goal: { value: 1_000_000 },
    },
    { key: `replay.${key}.cpu`, label: `broker CPU, ${label}`, unit: 's/M records', better: 'lower' as const },
  ]),
  async run(run) {
    await run.warmUp();
    const values: Record<string, number> = {};
    for (const { key, options } of SHAPES) {
      await run.settleDisk();
      const result = await runReplay(run, { topic: `bench-replay-${key}`, seconds: run.sizes.seconds, ...options });
      values[`replay.${key}.rate`] = result.rate;
      values[`replay.${key}.cpu`] = perMillion(result.brokerCpuSeconds ?? Number.NaN, result.records);
    }
    return values;
  },
};
