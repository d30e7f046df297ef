import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from '../connection.ts';
import { residentMib } from '../proc.ts';
import type { Scenario } from '../scenario.ts';
import { createTopics } from '../topics.ts';

const PER_REQUEST = 100;
const SETTLE_MS = 3000;

/** 1,000 topics of one partition, 100 a request, until Metadata names a leader for each. */
export const topics: Scenario = {
  name: 'topics',
  title: '1,000 topics',
  broker: 'own',
  metrics: [
    { key: 'topics.ms', label: 'create 1,000 topics', unit: 'ms', better: 'lower' },
    { key: 'topics.memory', label: 'memory, 1,000 topics', unit: 'MiB', better: 'lower' },
  ],
  async run({ broker, sizes }) {
    const names = Array.from({ length: sizes.topics }, (_, index) => `bench-topic-${index}`);
    const caller = new Caller(broker.port);
    const startMs = performance.now();
    await createTopics(caller, names, { partitions: 1 }, PER_REQUEST);
    const tookMs = performance.now() - startMs;
    caller.close();
    await sleep(SETTLE_MS);
    return { 'topics.ms': tookMs, 'topics.memory': residentMib(broker.pid) };
  },
};
