/**
 * The load generator: sends produce requests that were built beforehand, over several connections with a bounded number in
 * flight, and only checks the error codes of the answers. It costs little itself, so what it finds is the broker's ceiling.
 *
 *   node scripts/bench/replay.ts --port 9092 [--topic t] [--partitions 6] [--connections 4] [--in-flight 5]
 *     [--record-bytes 100] [--batch-bytes 16384] [--batches-per-request 1] [--seconds 5 [--warmup-seconds 1] | --records N]
 *     [--pid BROKER [--kill-after N]]
 *
 * With --kill-after it kills the broker as soon as N records are acknowledged, while more are on their way.
 * Prints one line of JSON (ReplayResult).
 */
import { parseArgs } from 'node:util';
import { filledBatch } from './batch.ts';
import { Connection } from './connection.ts';
import { cpuSeconds } from './proc.ts';
import { createTopic } from './topics.ts';
import { checkProduce, produceRequest } from './wire.ts';

export interface ReplayResult {
  records: number;
  seconds: number;
  /** Records a second. */
  rate: number;
  /** CPU time of the broker during the measured window; absent without --pid. */
  brokerCpuSeconds?: number;
  /** Share of one core that this process used: near 1 means that the generator, not the broker, was the limit. */
  generatorCpuShare: number;
}

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '9092' },
    topic: { type: 'string', default: 'bench-replay' },
    partitions: { type: 'string', default: '6' },
    connections: { type: 'string', default: '4' },
    'in-flight': { type: 'string', default: '5' },
    'record-bytes': { type: 'string', default: '100' },
    'batch-bytes': { type: 'string', default: '16384' },
    'batches-per-request': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    'warmup-seconds': { type: 'string', default: '1' },
    records: { type: 'string' },
    pid: { type: 'string' },
    'kill-after': { type: 'string' },
  },
});
const port = Number(options.port);
const partitions = Number(options.partitions);
const connections = Number(options.connections);
const inFlight = Number(options['in-flight']);
const batchesPerRequest = Math.min(partitions, Number(options['batches-per-request']));
const recordLimit = Number(options.records ?? Number.POSITIVE_INFINITY);
const killAfter = Number(options['kill-after'] ?? Number.POSITIVE_INFINITY);
const pid = options.pid === undefined ? undefined : Number(options.pid);

const { batch, records: recordsPerBatch } = filledBatch(
  Number(options['record-bytes']),
  Number(options['batch-bytes']),
  Date.now(),
);
const recordsPerRequest = recordsPerBatch * batchesPerRequest;

/** One request for each partition it begins with; a request carries the batch for that and the following partitions. */
const requests = Array.from({ length: partitions }, (_, first) =>
  produceRequest(
    0,
    options.topic,
    Array.from({ length: batchesPerRequest }, (_, i) => (first + i) % partitions),
    batch,
  ),
);

let sentRecords = 0;
let acknowledged = 0;
let stopped = false;
let outstanding = 0;
const ended = Promise.withResolvers<Mark>();

function openConnection(index: number): Connection {
  let next = index;
  const connection = new Connection(
    port,
    (payload) => {
      checkProduce(payload);
      acknowledged += recordsPerRequest;
      outstanding--;
      if (acknowledged >= killAfter) killBroker();
      send();
      if (outstanding === 0) ended.resolve(mark());
    },
    ended.reject,
  );
  const send = (): void => {
    if (stopped || sentRecords >= recordLimit) return;
    sentRecords += recordsPerRequest;
    outstanding++;
    connection.write(requests[next % partitions]);
    next += batchesPerRequest;
  };
  for (let i = 0; i < inFlight; i++) send();
  return connection;
}

function killBroker(): void {
  if (stopped) return;
  if (pid === undefined) throw new Error('--kill-after needs --pid');
  stopped = true;
  ended.resolve(mark());
  process.kill(pid, 'SIGKILL');
}

const sleep = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

interface Mark {
  records: number;
  timeMs: number;
  brokerCpuSeconds: number;
  ownCpuMicros: number;
}

function mark(): Mark {
  const own = process.cpuUsage();
  return {
    records: acknowledged,
    timeMs: performance.now(),
    brokerCpuSeconds: pid === undefined ? 0 : cpuSeconds(pid),
    ownCpuMicros: own.user + own.system,
  };
}

function result(from: Mark, to: Mark): ReplayResult {
  const seconds = (to.timeMs - from.timeMs) / 1000;
  const records = to.records - from.records;
  return {
    records,
    seconds,
    rate: records / seconds,
    ...(pid === undefined ? {} : { brokerCpuSeconds: to.brokerCpuSeconds - from.brokerCpuSeconds }),
    generatorCpuShare: (to.ownCpuMicros - from.ownCpuMicros) / 1e6 / seconds,
  };
}

/** Measures a window of --seconds, or with --records or --kill-after the whole run. */
async function measure(): Promise<ReplayResult> {
  const start = mark();
  const open = Array.from({ length: connections }, (_, index) => openConnection(index));
  const whole = Number.isFinite(recordLimit) || Number.isFinite(killAfter);
  const measured = whole ? result(start, await ended.promise) : await measureWindow();
  for (const connection of open) connection.close();
  return measured;
}

async function measureWindow(): Promise<ReplayResult> {
  await Promise.race([sleep(Number(options['warmup-seconds'])), ended.promise]);
  const from = mark();
  await Promise.race([sleep(Number(options.seconds)), ended.promise]);
  const to = mark();
  stopped = true;
  await ended.promise;
  return result(from, to);
}

await createTopic(port, options.topic, partitions);
console.log(JSON.stringify(await measure()));
