import type { Scenario } from '../scenario.ts';
import { summary } from '../statistics.ts';

/** From the spawn of the process (formatted data directory) to the first Metadata answer; the median of a few starts. */
export const start: Scenario = {
  name: 'start',
  title: 'cold start to the first Metadata answer',
  broker: 'none',
  metrics: [{ key: 'start.ms', label: 'cold start', unit: 'ms', better: 'lower', goal: { ratio: 0.1 }, chart: true }],
  async run(run) {
    const times: number[] = [];
    for (let i = 0; i < run.sizes.starts; i++) {
      const broker = await run.startFresh();
      times.push(broker.startMs);
      await broker.stop();
    }
    return { 'start.ms': summary(times)?.median ?? Number.NaN };
  },
};
