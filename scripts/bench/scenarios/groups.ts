import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '../broker.ts';
import { runWorker } from '../child.ts';
import type { CommitsResult } from '../commits.ts';
import { Caller } from '../connection.ts';
import { offsetFetchRequest, readOffsetFetch } from '../group-wire.ts';
import { residentMib } from '../proc.ts';
import type { RebalanceResult } from '../rebalance.ts';
import type { Run, Scenario } from '../scenario.ts';
import { createTopic } from '../topics.ts';

const REBALANCE = new URL('../rebalance.ts', import.meta.url);
const COMMITS = new URL('../commits.ts', import.meta.url);
const TOPIC = 'bench-committed';
/** As many partitions as groups: together a million offsets. */
const PARTITIONS = 1000;
const GROUPS = 1000;
const SETTLE_MS = 1000;
const POLL_MS = 5;
const SERVED_TIMEOUT_MS = 120_000;

/** A classic group of 100 consumers rebalances; 1,000 groups commit 10 offsets at a time over 50 connections. */
export const groups: Scenario = {
  name: 'groups',
  title: 'a group of 100 members, and 1,000 groups',
  broker: 'own',
  metrics: [
    {
      key: 'groups.rebalance',
      label: 'rebalance of 100 members',
      unit: 'ms',
      better: 'lower',
      goal: { ratio: 0.5 },
      chart: true,
    },
    { key: 'groups.rebalance.max', label: 'the slowest of 20', unit: 'ms', better: 'lower' },
    {
      key: 'groups.commits',
      label: '1,000 groups committing',
      unit: 'commits/s',
      better: 'higher',
      goal: { ratio: 1 },
      chart: true,
    },
    { key: 'groups.commits.p99', label: 'its p99', unit: 'ms', better: 'lower', goal: { ratio: 1 } },
    { key: 'groups.memory', label: 'memory, 1,000 groups', unit: 'MiB', better: 'lower' },
  ],
  async run(run) {
    const { port, pid } = run.broker;
    const rebalance = await runWorker<RebalanceResult>(REBALANCE, { port });
    await createTopic(port, TOPIC, PARTITIONS);
    const commits = await runWorker<CommitsResult>(COMMITS, { port, topic: TOPIC, groups: GROUPS });
    await sleep(SETTLE_MS);
    return {
      'groups.rebalance': rebalance.p50,
      'groups.rebalance.max': rebalance.max,
      'groups.commits': commits.rate,
      'groups.commits.p99': commits.p99,
      'groups.memory': residentMib(pid),
    };
  },
};

/** Waits until every group gives its offset of the last partition. */
async function untilOffsetsAreServed(port: number): Promise<void> {
  const caller = new Caller(port);
  const deadlineMs = performance.now() + SERVED_TIMEOUT_MS;
  try {
    for (let group = 0; group < GROUPS; group++) {
      const request = offsetFetchRequest(`bench-group-${group}`, TOPIC, [PARTITIONS - 1]);
      while (true) {
        const offsets = readOffsetFetch(await caller.call(request));
        if (offsets !== undefined) {
          if (offsets[0] !== 1) throw new Error(`group ${group} has offset ${offsets[0]}, not 1`);
          break;
        }
        if (performance.now() > deadlineMs) throw new Error('the offsets are not served after the start');
        await sleep(POLL_MS);
      }
    }
  } finally {
    caller.close();
  }
}

async function commitAMillion(run: Run, broker: Broker): Promise<void> {
  await createTopic(broker.port, TOPIC, PARTITIONS);
  const options = { port: broker.port, topic: TOPIC, groups: GROUPS, partitions: PARTITIONS, connections: 8, once: 1 };
  await runWorker<CommitsResult>(COMMITS, options);
  await run.settleDisk();
}

/** A start with a million committed offsets: 1,000 groups with 1,000 partitions each. Until the last group's offsets are served. */
export const groupsRestart: Scenario = {
  name: 'groups-restart',
  title: 'start with 1,000,000 committed offsets',
  broker: 'none',
  needsDisk: true,
  metrics: [
    {
      key: 'groups.restart',
      label: 'start with 1,000,000 committed offsets',
      unit: 'ms',
      better: 'lower',
      goal: { ratio: 0.5 },
      chart: true,
    },
    { key: 'groups.restart.memory', label: 'memory, 1,000,000 offsets', unit: 'MiB', better: 'lower' },
  ],
  async run(run) {
    let broker = await run.startFresh();
    try {
      await commitAMillion(run, broker);
      await broker.stop();
      broker = await run.startAgain(broker);
      await untilOffsetsAreServed(broker.port);
      const tookMs = performance.now() - broker.spawnedMs;
      await sleep(SETTLE_MS);
      return { 'groups.restart': tookMs, 'groups.restart.memory': residentMib(broker.pid) };
    } finally {
      await broker.kill();
    }
  },
};
