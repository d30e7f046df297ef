/**
 * Producers that wait: each connection sends one record with acks=all, waits for the answer, and only then sends the next.
 *
 *   node scripts/bench/round-trips.ts --port 9092 [--topic t] [--partitions 6] [--connections 16] [--record-bytes 1024]
 *     [--seconds 5] [--warmup-seconds 1]
 *
 * Connection n writes to partition n modulo --partitions of a topic that exists. Prints one line of JSON (RoundTripsResult).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { payload, recordBatch } from './batch.ts';
import { Connection } from './connection.ts';
import { percentile } from './statistics.ts';
import { checkProduce, produceRequest } from './wire.ts';

export interface RoundTripsResult {
  records: number;
  /** Records a second. */
  rate: number;
  /** From the write of a request to its acknowledgement, in milliseconds. */
  p50: number;
  p99: number;
}

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '9092' },
    topic: { type: 'string', default: 'bench-round-trips' },
    partitions: { type: 'string', default: '6' },
    connections: { type: 'string', default: '16' },
    'record-bytes': { type: 'string', default: '1024' },
    seconds: { type: 'string', default: '5' },
    'warmup-seconds': { type: 'string', default: '1' },
  },
});

const batch = recordBatch([payload(Number(options['record-bytes']), 1)], Date.now());
const failed = Promise.withResolvers<never>();
let measuring = false;
const tookMs: number[] = [];

function openConnection(index: number): Connection {
  const request = produceRequest(0, options.topic, [index % Number(options.partitions)], batch);
  let sentAtMs = 0;
  const connection = new Connection(
    Number(options.port),
    (answer) => {
      checkProduce(answer);
      if (measuring) tookMs.push(performance.now() - sentAtMs);
      send();
    },
    failed.reject,
  );
  const send = (): void => {
    sentAtMs = performance.now();
    connection.write(request);
  };
  send();
  return connection;
}

async function run(): Promise<RoundTripsResult> {
  const open = Array.from({ length: Number(options.connections) }, (_, index) => openConnection(index));
  await Promise.race([sleep(Number(options['warmup-seconds']) * 1000), failed.promise]);
  measuring = true;
  const startMs = performance.now();
  await Promise.race([sleep(Number(options.seconds) * 1000), failed.promise]);
  const seconds = (performance.now() - startMs) / 1000;
  for (const connection of open) connection.close();
  tookMs.sort((a, b) => a - b);
  return {
    records: tookMs.length,
    rate: tookMs.length / seconds,
    p50: percentile(tookMs, 50),
    p99: percentile(tookMs, 99),
  };
}

console.log(JSON.stringify(await run()));
