import { runWorker } from '../child.ts';
import type { LatencyResult } from '../latency.ts';
import type { Scenario } from '../scenario.ts';

const WORKER = new URL('../latency.ts', import.meta.url);
const RATE = 1000;

/** 1,000 messages a second of 100 B, each a request of its own with acks=all, and a long-polling fetch. */
export const latency: Scenario = {
  name: 'latency',
  title: 'end-to-end latency at 1,000 messages/s',
  broker: 'shared',
  metrics: [
    { key: 'latency.p50', label: 'latency p50', unit: 'ms', better: 'lower' },
    { key: 'latency.p99', label: 'latency p99', unit: 'ms', better: 'lower', goal: { ratio: 1 }, chart: true },
    { key: 'latency.p999', label: 'latency p99.9', unit: 'ms', better: 'lower' },
    { key: 'latency.ack.p99', label: 'acknowledgement p99', unit: 'ms', better: 'lower' },
  ],
  async run(run) {
    await run.warmUp();
    await run.settleDisk();
    const result = await runWorker<LatencyResult>(WORKER, {
      port: run.broker.port,
      rate: RATE,
      seconds: run.sizes.latencySeconds,
    });
    if (result.rate < RATE * 0.98) run.note(`latency: only ${result.rate.toFixed(0)} messages/s were sent`);
    return {
      'latency.p50': result.endToEndMs.p50,
      'latency.p99': result.endToEndMs.p99,
      'latency.p999': result.endToEndMs.p999,
      'latency.ack.p99': result.acknowledgedMs.p99,
    };
  },
};
