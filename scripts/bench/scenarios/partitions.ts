import { setTimeout as sleep } from 'node:timers/promises';
import { filledBatch } from '../batch.ts';
import type { Broker } from '../broker.ts';
import { Caller } from '../connection.ts';
import { openFiles, peakResidentMib, residentMib } from '../proc.ts';
import type { Scenario } from '../scenario.ts';
import { createTopics, untilServing } from '../topics.ts';
import { checkProduce, produceRequest } from '../wire.ts';

const PARTITIONS = 100;
/** Kafka's controller takes at most 10,000 metadata records a request. */
const TOPICS_PER_REQUEST = 10;
const SETTLE_MS = 3000;
const STOP_TIMEOUT_MS = 300_000;
const RECORD_BYTES = 100;

async function create(port: number, names: readonly string[]): Promise<number> {
  const caller = new Caller(port);
  const startMs = performance.now();
  await createTopics(caller, names, { partitions: PARTITIONS }, TOPICS_PER_REQUEST);
  caller.close();
  await untilServing(port, names, PARTITIONS);
  return performance.now() - startMs;
}

/** One record to each partition: a request a topic, one after the other. */
async function produceRound(port: number, names: readonly string[]): Promise<number> {
  const caller = new Caller(port);
  const { batch } = filledBatch(RECORD_BYTES, 1, Date.now());
  const partitions = Array.from({ length: PARTITIONS }, (_, index) => index);
  const requests = names.map((name) => produceRequest(0, name, partitions, batch));
  const startMs = performance.now();
  for (const request of requests) checkProduce(await caller.call(request));
  const tookMs = performance.now() - startMs;
  caller.close();
  return tookMs;
}

async function settled(broker: Broker): Promise<{ memory: number; files: number }> {
  await sleep(SETTLE_MS);
  return { memory: residentMib(broker.pid), files: openFiles(broker.pid) };
}

/** 10,000 partitions in 100 topics: created, written to once, and brought up again after SIGTERM. */
export const partitions10k: Scenario = {
  name: 'partitions-10k',
  title: '10,000 partitions on one node',
  broker: 'own',
  needsDisk: true,
  once: true,
  metrics: [
    { key: 'partitions.create', label: 'create 10,000 partitions', unit: 'ms', better: 'lower' },
    { key: 'partitions.memory', label: 'memory, 10,000 partitions', unit: 'MiB', better: 'lower' },
    { key: 'partitions.files', label: 'open files, 10,000 partitions', unit: 'files', better: 'lower' },
    { key: 'partitions.produce', label: 'a record to each of them', unit: 'ms', better: 'lower' },
    { key: 'partitions.produced.memory', label: 'memory after that', unit: 'MiB', better: 'lower' },
    { key: 'partitions.produced.files', label: 'open files after that', unit: 'files', better: 'lower' },
    { key: 'partitions.restart', label: 'start on 10,000 partitions', unit: 'ms', better: 'lower' },
    { key: 'partitions.restart.memory', label: 'peak memory, that start', unit: 'MiB', better: 'lower' },
  ],
  async run(run) {
    const { broker } = run;
    const names = Array.from({ length: run.sizes.manyTopics }, (_, index) => `bench-many-${index}`);
    const createMs = await create(broker.port, names);
    const created = await settled(broker);
    const produceMs = await produceRound(broker.port, names);
    const produced = await settled(broker);
    await broker.stop(STOP_TIMEOUT_MS);
    await run.settleDisk();
    const again = await run.startAgain(broker);
    try {
      const records = await untilServing(again.port, names, PARTITIONS);
      const restartMs = performance.now() - again.spawnedMs;
      if (records !== names.length * PARTITIONS) throw new Error(`${records} records are there after the start`);
      return {
        'partitions.create': createMs,
        'partitions.memory': created.memory,
        'partitions.files': created.files,
        'partitions.produce': produceMs,
        'partitions.produced.memory': produced.memory,
        'partitions.produced.files': produced.files,
        'partitions.restart': restartMs,
        'partitions.restart.memory': peakResidentMib(again.pid),
      };
    } finally {
      await again.kill();
    }
  },
};
