/**
 * End-to-end latency at a fixed rate: one connection produces single-record batches (acks=all) on a schedule that does not wait
 * for the answers, another holds a long-polling fetch (min.bytes 1). Both live in this process and share one monotonic
 * clock: a sample is the time from the write of a request to the arrival of its record.
 *
 *   node scripts/bench/latency.ts --port 9092 [--rate 1000] [--seconds 10] [--warmup-seconds 3] [--record-bytes 100]
 *
 * Prints one line of JSON (LatencyResult).
 */
import { parseArgs } from 'node:util';
import { payload, recordBatch } from './batch.ts';
import { Connection } from './connection.ts';
import { percentile } from './statistics.ts';
import { createTopic } from './topics.ts';
import { checkProduce, eachBatch, fetchRequest, produceRequest, readFetch } from './wire.ts';

interface Percentiles {
  p50: number;
  p99: number;
  p999: number;
}

export interface LatencyResult {
  samples: number;
  /** Messages a second that were really sent. */
  rate: number;
  /** Produce to arrival at the consumer, in milliseconds. */
  endToEndMs: Percentiles;
  /** Produce to acknowledgement, in milliseconds. */
  acknowledgedMs: Percentiles;
}

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '9092' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    'warmup-seconds': { type: 'string', default: '3' },
    'record-bytes': { type: 'string', default: '100' },
  },
});
const port = Number(options.port);
const ratePerMs = Number(options.rate) / 1000;
const warmupMs = Number(options['warmup-seconds']) * 1000;
const totalMs = warmupMs + Number(options.seconds) * 1000;
const messages = Math.floor(totalMs * ratePerMs);
const GRACE_MS = 10_000;

const topic = `bench-latency-${process.pid}-${Date.now()}`;
const request = produceRequest(0, topic, [0], recordBatch([payload(Number(options['record-bytes']), 1)], Date.now()));

// The topic is new and has one producer, so message n has offset n.
const sentAtMs = new Float64Array(messages);
const acknowledgedAtMs = new Float64Array(messages);
const arrivedAtMs = new Float64Array(messages);
const finished = Promise.withResolvers<void>();
let sent = 0;
let acknowledged = 0;
let arrived = 0;

await createTopic(port, topic, 1);

const producer = new Connection(
  port,
  (response) => {
    const offset = checkProduce(response);
    if (offset !== acknowledged) throw new Error(`message ${acknowledged} got offset ${offset}`);
    acknowledgedAtMs[acknowledged++] = performance.now();
    finishWhenComplete();
  },
  finished.reject,
);

const consumer = new Connection(
  port,
  (response) => {
    const nowMs = performance.now();
    readFetch(response, (_partition, records) => {
      eachBatch(records, (batch) => {
        if (batch.baseOffset > arrived) throw new Error(`offset ${arrived} is missing`);
        while (arrived < batch.nextOffset) arrivedAtMs[arrived++] = nowMs;
      });
    });
    if (!finishWhenComplete()) fetch();
  },
  finished.reject,
);

function fetch(): void {
  consumer.write(
    fetchRequest(0, topic, [{ partition: 0, offset: arrived }], {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1 << 20,
      partitionMaxBytes: 1 << 20,
    }),
  );
}

function finishWhenComplete(): boolean {
  const complete = arrived === messages && acknowledged === messages;
  if (complete) finished.resolve();
  return complete;
}

const startMs = performance.now();

/** Sends what is due; a timer that fires late is made up for at once, so the rate holds. */
function sendDue(): void {
  const due = Math.min(messages, Math.floor((performance.now() - startMs) * ratePerMs));
  while (sent < due) {
    sentAtMs[sent++] = performance.now();
    producer.write(request);
  }
  if (sent < messages) setTimeout(sendDue, 1);
}

function percentiles(atMs: Float64Array): Percentiles {
  const first = Math.floor(warmupMs * ratePerMs);
  const samples = atMs.subarray(first).map((value, index) => value - sentAtMs[first + index]);
  samples.sort();
  return { p50: percentile(samples, 50), p99: percentile(samples, 99), p999: percentile(samples, 99.9) };
}

fetch();
sendDue();
const tooLate = setTimeout(
  () => finished.reject(new Error(`${arrived} of ${messages} messages arrived in time`)),
  totalMs + GRACE_MS,
);
await finished.promise;
clearTimeout(tooLate);
producer.close();
consumer.close();
const result: LatencyResult = {
  samples: messages - Math.floor(warmupMs * ratePerMs),
  rate: (messages / (sentAtMs[messages - 1] - startMs)) * 1000,
  endToEndMs: percentiles(arrivedAtMs),
  acknowledgedMs: percentiles(acknowledgedAtMs),
};
console.log(JSON.stringify(result));
