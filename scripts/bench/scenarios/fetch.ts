import { runWorker } from '../child.ts';
import type { ConsumeResult } from '../consume.ts';
import { perMillion, replay, type Scenario } from '../scenario.ts';

const WORKER = new URL('../consume.ts', import.meta.url);
const TOPIC = 'bench-fetch';

/** The raw reader round and round over one topic: 100 B records, 6 partitions, 3 connections, 1 MiB a partition. */
export const fetch: Scenario = {
  name: 'fetch',
  title: 'raw fetches',
  broker: 'shared',
  metrics: [
    { key: 'fetch.rate', label: 'raw fetch 100 B', unit: 'records/s', better: 'higher' },
    { key: 'fetch.cpu', label: 'broker CPU, raw fetch', unit: 's/M records', better: 'lower' },
  ],
  async run(run) {
    await run.warmUp();
    await run.settleDisk();
    const { records } = await replay(run, { topic: TOPIC, records: run.sizes.records100 });
    const result = await runWorker<ConsumeResult>(WORKER, {
      port: run.broker.port,
      pid: run.broker.pid,
      topic: TOPIC,
      expect: records,
      seconds: run.sizes.seconds,
    });
    return {
      'fetch.rate': result.rate,
      'fetch.cpu': perMillion(result.brokerCpuSeconds ?? Number.NaN, result.records),
    };
  },
};
