import { join } from 'node:path';
import { runWorker } from '../child.ts';
import type { CompactionLatencyResult } from '../compaction-latency.ts';
import type { Scenario } from '../scenario.ts';

const WORKER = new URL('../compaction-latency.ts', import.meta.url);

/** Acknowledgement of 1,000 single records a second before and during the compaction of a log of 6 million records with a million keys. */
export const compaction: Scenario = {
  name: 'compaction',
  title: 'produce latency while a log is compacted',
  broker: 'own',
  needsDisk: true,
  once: true,
  metrics: [
    { key: 'compaction.quiet.p99', label: 'acknowledgement p99, no compaction', unit: 'ms', better: 'lower' },
    { key: 'compaction.p50', label: 'acknowledgement p50 during compaction', unit: 'ms', better: 'lower' },
    {
      key: 'compaction.p99',
      label: 'acknowledgement p99 during compaction',
      unit: 'ms',
      better: 'lower',
      goal: { ratio: 1 },
    },
    { key: 'compaction.max', label: 'slowest acknowledgement during compaction', unit: 'ms', better: 'lower' },
    { key: 'compaction.seconds', label: 'that compaction', unit: 's', better: 'lower', goal: { ratio: 1 } },
  ],
  async run(run) {
    await run.warmUp();
    const { compactionRecords: records } = run.sizes;
    await runWorker(WORKER, { port: run.broker.port, phase: 'fill', records });
    await run.settleDisk();
    const { quietMs, compactingMs, seconds } = await runWorker<CompactionLatencyResult>(WORKER, {
      port: run.broker.port,
      'data-directory': join(run.broker.directory, 'data'),
    });
    return {
      'compaction.quiet.p99': quietMs.p99,
      'compaction.p50': compactingMs.p50,
      'compaction.p99': compactingMs.p99,
      'compaction.max': compactingMs.max,
      'compaction.seconds': seconds,
    };
  },
};
