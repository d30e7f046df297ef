import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from '../connection.ts';
import { residentMib } from '../proc.ts';
import { replay, type Scenario } from '../scenario.ts';
import { fetchRequest, metadataRequest } from '../wire.ts';

const TOPIC = 'bench-slow-reader';
const READERS = 50;
const ASKED_BYTES = 50 * 1024 * 1024;
const RECORD_BYTES = 1024;
/** More than a reader asks for. */
const RECORDS = 100_000;
const BATCH_BYTES = 64 * 1024;
const WATCH_MS = 5000;
const SAMPLE_MS = 50;

/** Sends one request and leaves the answer to the socket buffers: a paused socket never reads. */
async function askAndNeverRead(port: number, request: Buffer): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', port }).pause();
  socket.once('error', reject);
  socket.write(request, () => resolve());
  await promise;
  return socket;
}

async function peakMib(pid: number): Promise<number> {
  let peak = 0;
  for (let atMs = 0; atMs < WATCH_MS; atMs += SAMPLE_MS) {
    peak = Math.max(peak, residentMib(pid));
    await sleep(SAMPLE_MS);
  }
  return peak;
}

async function metadataMs(port: number): Promise<number> {
  const caller = new Caller(port);
  const startMs = performance.now();
  await caller.call(metadataRequest(0, [TOPIC]));
  const tookMs = performance.now() - startMs;
  caller.close();
  return tookMs;
}

/** 50 consumers that each ask for 50 MiB and read nothing, while another client asks for Metadata. */
export const slowReader: Scenario = {
  name: 'slow-reader',
  title: '50 consumers that ask for 50 MiB and read nothing',
  broker: 'own',
  needsDisk: true,
  metrics: [
    { key: 'slow.before', label: 'memory, before slow readers', unit: 'MiB', better: 'lower' },
    {
      key: 'slow.memory',
      label: 'memory, 50 slow readers',
      unit: 'MiB',
      better: 'lower',
      goal: { ratio: 0.3 },
    },
    { key: 'slow.metadata', label: 'Metadata beside them', unit: 'ms', better: 'lower' },
  ],
  async run(run) {
    const { port, pid } = run.broker;
    await replay(run, {
      topic: TOPIC,
      partitions: 1,
      records: RECORDS,
      'record-bytes': RECORD_BYTES,
      'batch-bytes': BATCH_BYTES,
    });
    await run.settleDisk();
    const before = residentMib(pid);
    const shape = { maxWaitMs: 500, minBytes: 1, maxBytes: ASKED_BYTES, partitionMaxBytes: ASKED_BYTES };
    const request = fetchRequest(0, TOPIC, [{ partition: 0, offset: 0 }], shape);
    const readers = await Promise.all(Array.from({ length: READERS }, () => askAndNeverRead(port, request)));
    const memory = await peakMib(pid);
    const metadata = await metadataMs(port);
    for (const reader of readers) reader.destroy();
    return { 'slow.before': before, 'slow.memory': memory, 'slow.metadata': metadata };
  },
};
