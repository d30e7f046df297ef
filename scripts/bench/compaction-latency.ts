/**
 * How long producers wait while the broker compacts a log: single records (acks=all) go to a topic of their own on a schedule that does not
 * wait for the answers, first while nothing else happens, then while a large topic is compacted.
 *
 *   node scripts/bench/compaction-latency.ts --port 9092 --phase fill [--records 6000000] [--keys 1000000]
 *   node scripts/bench/compaction-latency.ts --port 9092 --phase measure --data-directory DIR [--rate 1000] [--quiet-seconds 20]
 *
 * The first fills the topic, in random order of its keys; the second measures. Each prints one line of JSON (the second CompactionLatencyResult).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BatchBuilder } from '../../protocol/records/encode.ts';
import { payload, recordBatch } from './batch.ts';
import { Caller, Connection } from './connection.ts';
import { percentile } from './statistics.ts';
import { createTopic } from './topics.ts';
import { alterConfigsRequest, type ConfigOf, checkAlterConfigs, checkProduce, produceRequest } from './wire.ts';

interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

export interface CompactionLatencyResult {
  /** Produce to acknowledgement, in milliseconds, before the compaction. */
  quietMs: Percentiles;
  /** And while it goes on. */
  compactingMs: Percentiles;
  /** From the change that makes the topic due until the checkpoint says that it is done. */
  seconds: number;
}

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '9092' },
    phase: { type: 'string', default: 'measure' },
    records: { type: 'string', default: '6000000' },
    keys: { type: 'string', default: '1000000' },
    'data-directory': { type: 'string', default: '' },
    rate: { type: 'string', default: '1000' },
    'quiet-seconds': { type: 'string', default: '20' },
  },
});
const port = Number(options.port);
const TOPIC = 'bench-compacted';
const PROBE_TOPIC = 'bench-compaction-latency';
const VALUE_BYTES = 100;
const BATCH_RECORDS = 120;
const IN_FLIGHT = 5;
const TIMEOUT_MS = 120_000;
const LOOK_INTERVAL_MS = 20;
/** The cleaner looks for work so often, once the interval that it began with is over (15 s in both brokers). */
const BACKOFF_MS = '50';

/** With a dirty ratio that nothing exceeds, so that the cleaner waits. */
async function fill(): Promise<{ records: number }> {
  await alter({ type: 'broker', name: '', configs: { 'log.cleaner.backoff.ms': BACKOFF_MS } });
  const configs = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '1', 'segment.bytes': '134217728' };
  await createTopic(port, TOPIC, 1, configs);
  await createTopic(port, PROBE_TOPIC, 1);
  const records = Number(options.records);
  const nextBatch = batches(Number(options.keys));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let [sent, acknowledged] = [0, 0];
  const onResponse = (response: Buffer): void => {
    checkProduce(response);
    acknowledged += BATCH_RECORDS;
    if (acknowledged >= records) resolve();
    else send();
  };
  const connection = new Connection(port, onResponse, reject);
  function send(): void {
    if (sent >= records) return;
    sent += BATCH_RECORDS;
    connection.write(produceRequest(0, TOPIC, [0], nextBatch()));
  }
  for (let i = 0; i < IN_FLIGHT; i++) send();
  await promise;
  connection.close();
  return { records };
}

function batches(keys: number): () => Buffer {
  const value = payload(VALUE_BYTES, 1);
  let seed = 42;
  return () => {
    const builder = new BatchBuilder(0, { expectedBytes: BATCH_RECORDS * (VALUE_BYTES + 40) });
    for (let i = 0; i < BATCH_RECORDS; i++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const key = Buffer.from(`key-${Math.floor((seed / 2 ** 32) * keys)}`);
      builder.append({ key, value, timestamp: Date.now() });
    }
    return builder.build();
  };
}

async function measure(): Promise<CompactionLatencyResult> {
  const startMs = performance.now();
  const quiet = await latencies(() => performance.now() - startMs > Number(options['quiet-seconds']) * 1000);
  await alter({ type: 'topic', name: TOPIC, configs: { 'min.cleanable.dirty.ratio': '0.01' } });
  const dueMs = performance.now();
  const compacting = await latencies(isCompacted);
  return {
    quietMs: percentiles(quiet),
    compactingMs: percentiles(compacting),
    seconds: (performance.now() - dueMs) / 1000,
  };
}

function isCompacted(): boolean {
  const checkpoint = join(options['data-directory'], 'cleaner-offset-checkpoint');
  return existsSync(checkpoint) && readFileSync(checkpoint, 'utf8').includes(`${TOPIC} 0 `);
}

/** Sends until `isOver`; gives the milliseconds from each request to its answer. */
async function latencies(isOver: () => boolean): Promise<number[]> {
  const probe = new Probe();
  try {
    return await Promise.race([probe.answered(isOver), probe.failed]);
  } finally {
    probe.close();
  }
}

class Probe {
  private readonly request = produceRequest(0, PROBE_TOPIC, [0], recordBatch([payload(VALUE_BYTES, 1)], Date.now()));
  private readonly failure = Promise.withResolvers<never>();
  private readonly sentAtMs: number[] = [];
  private readonly tookMs: number[] = [];
  private readonly connection = new Connection(port, (response) => this.take(response), this.failure.reject);
  readonly failed = this.failure.promise;

  async answered(isOver: () => boolean): Promise<number[]> {
    const fromMs = performance.now();
    let lookedAtMs = fromMs;
    for (let nowMs = fromMs; ; nowMs = performance.now()) {
      if (nowMs - fromMs > TIMEOUT_MS) throw new Error(`not over after ${TIMEOUT_MS} ms`);
      if (nowMs - lookedAtMs > LOOK_INTERVAL_MS) {
        lookedAtMs = nowMs;
        if (isOver()) break;
      }
      this.send(Math.floor(((nowMs - fromMs) * Number(options.rate)) / 1000) - this.sentAtMs.length);
      await sleep(1);
    }
    while (this.tookMs.length < this.sentAtMs.length) await sleep(1);
    return this.tookMs;
  }

  close(): void {
    this.connection.close();
  }

  /** What is due; a timer that fires late is made up for at once, so that the rate holds. */
  private send(count: number): void {
    for (let left = count; left > 0; left--) {
      this.sentAtMs.push(performance.now());
      this.connection.write(this.request);
    }
  }

  private take(response: Buffer): void {
    checkProduce(response);
    this.tookMs.push(performance.now() - this.sentAtMs[this.tookMs.length]);
  }
}

function percentiles(samples: number[]): Percentiles {
  const ascending = samples.sort((a, b) => a - b);
  return { p50: percentile(ascending, 50), p99: percentile(ascending, 99), max: percentile(ascending, 100) };
}

async function alter(one: ConfigOf): Promise<void> {
  const caller = new Caller(port);
  checkAlterConfigs(await caller.call(alterConfigsRequest(0, one)));
  caller.close();
}

console.log(JSON.stringify(options.phase === 'fill' ? await fill() : await measure()));
