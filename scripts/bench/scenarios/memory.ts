import { setTimeout as sleep } from 'node:timers/promises';
import { residentMib } from '../proc.ts';
import type { Scenario } from '../scenario.ts';

const SETTLE_MS = 3000;

/** Resident memory three seconds after the start, before any load. */
export const memoryIdle: Scenario = {
  name: 'memory-idle',
  title: 'resident memory, idle',
  broker: 'shared',
  metrics: [
    { key: 'memory.idle', label: 'memory, idle', unit: 'MiB', better: 'lower', goal: { ratio: 0.25 }, chart: true },
  ],
  async run({ broker }) {
    await sleep(SETTLE_MS);
    return { 'memory.idle': residentMib(broker.pid) };
  },
};

/** Resident memory three seconds after the load scenarios that were chosen (and at least after the warm-up). */
export const memoryLoaded: Scenario = {
  name: 'memory-load',
  title: 'resident memory, after load',
  broker: 'shared',
  metrics: [
    {
      key: 'memory.load',
      label: 'memory, after load',
      unit: 'MiB',
      better: 'lower',
      goal: { ratio: 0.3 },
      chart: true,
    },
  ],
  async run(run) {
    await run.warmUp();
    await sleep(SETTLE_MS);
    return { 'memory.load': residentMib(run.broker.pid) };
  },
};
