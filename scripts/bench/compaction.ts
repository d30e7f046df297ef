/**
 * How fast a log is compacted, and in how much memory:
 *
 *   node scripts/bench/compaction.ts [--records 10000000] [--keys 1000000] [--batch 100] [--value-bytes 100] [--compression none]
 *     [--kafka] [--port 21170]
 *
 * Fills a log with keys in random order, then compacts it as a broker does, with the settings that it has by default. With --kafka, Apache Kafka is
 * started on a copy of the same files, and what its own cleaner logs of its work is shown beside.
 * Prints one line of JSON for each.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { KafkaCleaner } from '../../compat-tests/oracle/cleaner.ts';
import { CompressionType } from '../../protocol/records/batch.ts';
import { BatchBuilder } from '../../protocol/records/encode.ts';
import { compactLog } from '../../storage/compaction/compact.ts';
import { DEFAULT_LOG_CONFIG, Log, NodeDisk, startCompactionThread } from '../../storage/index.ts';

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '10000000' },
    keys: { type: 'string', default: '1000000' },
    batch: { type: 'string', default: '100' },
    'value-bytes': { type: 'string', default: '100' },
    compression: { type: 'string', default: 'none' },
    kafka: { type: 'boolean', default: false },
    port: { type: 'string', default: '21170' },
    /** Where a log has been filled already: for the process that compacts it. */
    directory: { type: 'string' },
  },
});
const recordCount = Number(options.records);
const keyCount = Number(options.keys);
const batchSize = Number(options.batch);
const compression = CompressionType[options.compression.toUpperCase() as keyof typeof CompressionType];

const TOPIC = 'compacted';
const SEGMENT_BYTES = 256 * 1024 * 1024;
/** Defaults of log.cleaner.dedupe.buffer.size, log.cleaner.io.buffer.load.factor and half of log.cleaner.io.buffer.size. */
const CLEANER = { mapBytes: 134_217_728, mapLoadFactor: 0.9, windowBytes: 262_144 };
const NO_LIMIT = 2 ** 53;

interface Result {
  broker: string;
  seconds: number;
  recordsPerSecond: number;
  mbPerSecond: number;
  recordsKept: number;
  /** Resident memory at most, above what it was before. */
  extraMb?: number;
  /** How much too late timers of one millisecond came in the thread that serves clients. */
  loopDelayMs?: { p50: number; p99: number; max: number };
}

const disk = new NodeDisk();
const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'odradek-compaction-'));
const dir = join(directory, `${TOPIC}-0`);
if (options.directory === undefined) await main();
else console.log(JSON.stringify(await measureOurs()));

async function main(): Promise<void> {
  try {
    const log = openLog();
    fill(log);
    const bytes = log.sizeBytes;
    await log.closeDurably();
    if (options.kafka) console.log(JSON.stringify(await measureKafka(dir, bytes)));
    // In a process of its own, whose memory is that of the compaction.
    const [script] = process.argv.slice(1);
    spawnSync(process.execPath, [script, ...process.argv.slice(2), '--directory', directory], { stdio: 'inherit' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function openLog(): Log {
  const config = {
    ...DEFAULT_LOG_CONFIG,
    segmentBytes: SEGMENT_BYTES,
    cleanupPolicy: { delete: false, compact: true },
  };
  const clock = { nowMs: () => Date.now() };
  return Log.open({ disk, dir, topic: TOPIC, partition: 0, topicId: null, config, clock, clean: true });
}

/** The last record lies in a segment of its own, the active one, which is not compacted. */
function fill(log: Log): void {
  let seed = 42;
  const value = Buffer.alloc(Number(options['value-bytes']), 'v');
  const now = Date.now();
  for (let done = 0; done < recordCount; ) {
    const builder = new BatchBuilder(0, { expectedBytes: batchSize * (value.length + 40) });
    for (let i = 0; i < batchSize && done < recordCount; i++, done++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const key = Buffer.from(`key-${Math.floor((seed / 2 ** 32) * keyCount)}`);
      value.writeUInt32BE(done, 0);
      builder.append({ key, value, timestamp: now + done / 1000 });
    }
    log.appendAsLeader(builder.build({ compression }), 0);
  }
  log.updateConfig({ ...log.config, segmentBytes: 1024 });
  const last = new BatchBuilder();
  last.append({ key: Buffer.from('last'), value: Buffer.alloc(800), timestamp: now });
  log.appendAsLeader(last.build(), 0);
}

async function measureOurs(): Promise<Result> {
  const log = openLog();
  const before = process.memoryUsage.rss();
  let peak = before;
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  loop.enable();
  const start = performance.now();
  const compacted = await compactLog({
    ...CLEANER,
    log,
    firstDirtyOffset: 0,
    firstUncleanableOffset: log.segments[log.segments.length - 1].baseOffset,
    nowMs: Date.now(),
    secret: [1, 2, 3, 4],
    startWorker: startCompactionThread,
    maxBytesPerSecond: () => NO_LIMIT,
    checkpointRecoveryPoint: async () => {},
    isStopped: () => false,
  });
  const seconds = (performance.now() - start) / 1000;
  loop.disable();
  clearInterval(watch);
  log.close();
  if (compacted.endOffset !== recordCount) throw new Error(`compacted up to ${compacted.endOffset} only`);
  return {
    ...result('odradek', seconds, compacted.bytesRead / 2, compacted.recordsKept),
    extraMb: round((peak - before) / 1e6),
    loopDelayMs: { p50: delayMs(loop.percentile(50)), p99: delayMs(loop.percentile(99)), max: delayMs(loop.max) },
  };
}

/** Apache Kafka's cleaner on a copy of the files, by its own clock. */
async function measureKafka(from: string, bytes: number): Promise<Result> {
  const kafka = await KafkaCleaner.create({
    directory: join(directory, 'kafka'),
    port: Number(options.port),
    topic: TOPIC,
    configs: { 'segment.bytes': String(SEGMENT_BYTES) },
  });
  kafka.put(from);
  const { seconds, records } = await kafka.clean(recordCount, 600_000);
  return result('kafka', seconds, bytes, records);
}

function result(broker: string, seconds: number, bytes: number, recordsKept: number): Result {
  const recordsPerSecond = Math.round(recordCount / seconds);
  return { broker, seconds: round(seconds), recordsPerSecond, mbPerSecond: round(bytes / seconds / 1e6), recordsKept };
}

/** Nanoseconds between two turns of a timer of one millisecond. */
function delayMs(nanoseconds: number): number {
  return round(Math.max(0, nanoseconds / 1e6 - 1));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
