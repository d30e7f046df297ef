/**
 * How fast a log is compacted, and in how much memory:
 *
 *   node scripts/bench/compaction.ts [--records 10000000] [--keys 1000000] [--batch 100] [--value-bytes 100] [--compression none]
 *     [--kafka] [--port 21170]
 *
 * Fills a log with keys in random order, then compacts it with the settings that a broker has by default. With --kafka, Apache Kafka is
 * started on a copy of the same files, and what its own cleaner logs of its work is shown beside.
 * Prints one line of JSON for each.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as yieldLoop, setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KafkaServer } from '../../compat-tests/oracle/server.ts';
import { runTool } from '../../compat-tests/oracle/tool.ts';
import { CompressionType } from '../../protocol/records/batch.ts';
import { BatchBuilder } from '../../protocol/records/encode.ts';
import { compactLog } from '../../storage/compaction/compact.ts';
import { Pacer } from '../../storage/compaction/pacer.ts';
import { DEFAULT_LOG_CONFIG, Log, NodeDisk } from '../../storage/index.ts';

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '10000000' },
    keys: { type: 'string', default: '1000000' },
    batch: { type: 'string', default: '100' },
    'value-bytes': { type: 'string', default: '100' },
    compression: { type: 'string', default: 'none' },
    kafka: { type: 'boolean', default: false },
    port: { type: 'string', default: '21170' },
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
const NEVER = 2 ** 53;

interface Result {
  broker: string;
  seconds: number;
  recordsPerSecond: number;
  mbPerSecond: number;
  recordsKept: number;
  /** Resident memory at most, above what it was before. Kafka: the heap it was given. */
  extraMb?: number;
  /** The longest time that the event loop was held. */
  longestSliceMs?: number;
}

const disk = new NodeDisk();
const directory = mkdtempSync(join(tmpdir(), 'odradek-compaction-'));
try {
  const dir = join(directory, `${TOPIC}-0`);
  const log = openLog(dir);
  fill(log);
  await log.closeDurably();
  if (options.kafka) console.log(JSON.stringify(await measureKafka(dir)));
  console.log(JSON.stringify(await measureOurs(dir)));
} finally {
  rmSync(directory, { recursive: true });
}

function openLog(dir: string): Log {
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: SEGMENT_BYTES, cleanupPolicy: { delete: false, compact: true } };
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

async function measureOurs(dir: string): Promise<Result> {
  const log = openLog(dir);
  const before = process.memoryUsage.rss();
  let peak = before;
  let longestSliceMs = 0;
  let sliceStart = performance.now();
  const ports = {
    monotonicMs: () => performance.now(),
    sleep: (ms: number) => sleep(ms),
    async yieldLoop() {
      longestSliceMs = Math.max(longestSliceMs, performance.now() - sliceStart);
      peak = Math.max(peak, process.memoryUsage.rss());
      await yieldLoop();
      sliceStart = performance.now();
    },
  };
  const start = performance.now();
  const result = await compactLog({
    ...CLEANER,
    disk,
    log,
    firstDirtyOffset: 0,
    firstUncleanableOffset: log.segments[log.segments.length - 1].baseOffset,
    nowMs: Date.now(),
    secret: [1, 2, 3, 4],
    pacer: new Pacer(ports, () => NEVER),
    isStopped: () => false,
  });
  const seconds = (performance.now() - start) / 1000;
  log.close();
  if (result.endOffset !== recordCount) throw new Error(`compacted up to ${result.endOffset} only`);
  return {
    broker: 'odradek',
    seconds: round(seconds),
    recordsPerSecond: Math.round(recordCount / seconds),
    mbPerSecond: round(result.bytesRead / 2 / seconds / 1e6),
    recordsKept: result.recordsKept,
    extraMb: round((peak - before) / 1e6),
    longestSliceMs: round(longestSliceMs),
  };
}

/** Starts Kafka, has it make the topic, puts the files into its folder, and starts it again with the cleaner awake. */
async function measureKafka(from: string): Promise<Result> {
  const home = join(directory, 'kafka');
  const port = Number(options.port);
  const properties = { 'log.cleaner.backoff.ms': '100', 'log.retention.ms': '-1' };
  const server = await KafkaServer.start({ directory: home, port, properties, heap: '1g' });
  try {
    const config = ['cleanup.policy=compact', 'min.cleanable.dirty.ratio=0.5', `segment.bytes=${SEGMENT_BYTES}`];
    const args = ['--create', '--topic', TOPIC, '--partitions', '1', ...config.flatMap((entry) => ['--config', entry])];
    await runTool('org.apache.kafka.tools.TopicCommand', ['--bootstrap-server', server.bootstrapServers, ...args]);
    await server.stop();
    const to = join(home, 'data', `${TOPIC}-0`);
    for (const name of readdirSync(to)) if (/^\d{20}\./.test(name)) rmSync(join(to, name));
    for (const name of readdirSync(from)) {
      if (name !== 'partition.metadata') cpSync(join(from, name), join(to, name));
    }
    await server.restart();
    return await kafkaResult(server);
  } finally {
    await server.stop();
    rmSync(home, { recursive: true });
  }
}

/** From the statistics that the cleaner writes into the server's log. */
async function kafkaResult(server: KafkaServer): Promise<Result> {
  const cleaned = new RegExp(`cleaned log ${TOPIC}-0[^]*?processed in ([\\d,.]+) seconds[^]*?End size: [\\d,.]+ MB \\(([\\d,]+) messages\\)`);
  const number = (text: string): number => Number(text.replaceAll(',', ''));
  const bytes = readdirSync(join(directory, `${TOPIC}-0`))
    .filter((name) => name.endsWith('.log'))
    .reduce((sum, name) => sum + readFileSync(join(directory, `${TOPIC}-0`, name)).length, 0);
  for (let waited = 0; waited < 600; waited++) {
    const found = cleaned.exec(readFileSync(server.logFile, 'utf8'));
    if (found !== null) {
      const seconds = number(found[1]);
      return {
        broker: 'kafka',
        seconds,
        recordsPerSecond: Math.round(recordCount / seconds),
        mbPerSecond: round(bytes / seconds / 1e6),
        recordsKept: number(found[2]),
      };
    }
    await sleep(1000);
  }
  throw new Error(`Apache Kafka has not compacted the log, see ${server.logFile}`);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
