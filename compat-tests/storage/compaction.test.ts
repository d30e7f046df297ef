import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as header from '../../protocol/records/batch.ts';
import { transactionMarkerBatch } from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { type BatchOptions, encodeBatch } from '../../protocol/records/encode.ts';
import { compactLog } from '../../storage/compaction/compact.ts';
import { DEFAULT_LOG_CONFIG, Log, NodeDisk, startCompactionThread } from '../../storage/index.ts';
import { KafkaCleaner } from '../oracle/cleaner.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { runTool } from '../oracle/tool.ts';
import { freePortPair } from '../ports.ts';

const disk = new NodeDisk();
const now = Date.now();
/** What both run under; delete horizons are over when the second compaction begins. */
const SEGMENT_BYTES = 1_048_576;
const CONFIGS = {
  'delete.retention.ms': '1',
  'min.cleanable.dirty.ratio': '0',
  'segment.bytes': String(SEGMENT_BYTES),
};

function open(dir: string): Log {
  return Log.open({
    disk,
    dir,
    topic: 'compared',
    partition: 0,
    topicId: null,
    config: {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: SEGMENT_BYTES,
      deleteRetentionMs: 1,
      cleanupPolicy: { delete: false, compact: true },
    },
    clock: { nowMs: () => Date.now() },
    clean: true,
  });
}

/** A repeatable sequence of numbers in [0, bound). */
function dice(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** A load of everything that compaction treats in a way of its own: codecs, tombstones, no keys, producers, transactions. */
class Load {
  readonly #roll: (bound: number) => number;
  #timestamp = now - 600_000;

  constructor(seed: number) {
    this.#roll = dice(seed);
  }

  /** Fills some segments, the last of which has one record only. */
  write(log: Log, batches: number): void {
    for (let i = 0; i < batches; i++) {
      this.#writeOne(log);
      if (i % Math.ceil(batches / 4) === 0) this.#newSegment(log);
    }
    this.#newSegment(log);
  }

  #writeOne(log: Log): void {
    const compression = Object.values(header.CompressionType)[this.#roll(5)];
    const kind = this.#roll(4);
    if (kind < 2) this.#append(log, { compression });
    else if (kind === 2) this.#append(log, { compression, ...this.#producer(log, 1 + this.#roll(3)) });
    else this.#transaction(log, 10 + this.#roll(4), compression);
  }

  #transaction(log: Log, producerId: number, compression: header.CompressionTypeId): void {
    for (let parts = 1 + this.#roll(3); parts > 0; parts--) {
      this.#append(log, { compression, transactional: true, ...this.#producer(log, producerId) });
    }
    const commit = this.#roll(2) === 0;
    const marker = { commit, coordinatorEpoch: 0, producerId, producerEpoch: 0, timestampMs: this.#timestamp };
    log.appendAsLeader(transactionMarkerBatch(marker), 0, 'coordinator');
    log.onHighWatermark(log.logEndOffset);
  }

  /** Goes on where the log says that the producer was: a compaction must not have lost it. */
  #producer(log: Log, producerId: number): BatchOptions {
    const known = log.producers().find((producer) => producer.producerId === producerId);
    return { producerId, producerEpoch: 0, baseSequence: known === undefined ? 0 : known.lastSequence + 1 };
  }

  #append(log: Log, options: BatchOptions): void {
    const records = Array.from({ length: 1 + this.#roll(6) }, () => this.#record());
    log.appendAsLeader(encodeBatch(records, options), 0);
  }

  #record() {
    this.#timestamp += this.#roll(3);
    const key = this.#roll(40) === 0 ? null : Buffer.from(`key-${this.#roll(60)}`);
    const value = this.#roll(6) === 0 ? null : Buffer.alloc(20 + this.#roll(100), 97 + this.#roll(26));
    const headers = this.#roll(5) === 0 ? [{ key: 'h', value: Buffer.from('header') }] : [];
    return { key, value, headers, timestamp: this.#timestamp };
  }

  #newSegment(log: Log): void {
    const { config } = log;
    const record = encodeBatch([{ key: Buffer.from('segment'), value: Buffer.alloc(10), timestamp: this.#timestamp }]);
    log.updateConfig({ ...config, segmentBytes: record.length });
    log.appendAsLeader(record, 0);
    log.updateConfig(config);
  }
}

/** All that is in a batch but the time of its delete horizon, which is that of the compaction. */
function batchesIn(dir: string): object[] {
  const found: object[] = [];
  for (const name of readdirSync(dir).sort()) {
    if (!name.endsWith('.log')) continue;
    const buf = disk.readFile(join(dir, name)) as Buffer;
    for (let at = 0; at < buf.length; at += header.sizeBytes(buf, at)) found.push(describeBatch(buf, at));
  }
  return found;
}

function describeBatch(buf: Buffer, at: number): object {
  return {
    base: header.baseOffset(buf, at),
    last: header.lastOffset(buf, at),
    leaderEpoch: header.leaderEpoch(buf, at),
    attributes: header.attributes(buf, at),
    maxTimestamp: header.maxTimestamp(buf, at),
    producer: [header.producerId(buf, at), header.producerEpoch(buf, at), header.baseSequence(buf, at)],
    records: readRecords(buf, at).map(({ offset, timestamp, key, value, headers }) => {
      return [offset, timestamp, String(key), String(value), headers.length];
    }),
  };
}

async function compactOurs(log: Log, firstDirtyOffset: number): Promise<number> {
  const { endOffset } = await compactLog({
    log,
    firstDirtyOffset,
    firstUncleanableOffset: log.segments[log.segments.length - 1].baseOffset,
    nowMs: Date.now(),
    mapBytes: 1_048_576,
    mapLoadFactor: 0.9,
    windowBytes: 4096,
    secret: [1, 2, 3, 4],
    startWorker: startCompactionThread,
    maxBytesPerSecond: () => Number.MAX_VALUE,
    checkpointRecoveryPoint: async () => {},
    isStopped: () => false,
  });
  return endOffset;
}

const oracle = oracleAvailable();

describe('compaction beside that of Apache Kafka, on the same files', () => {
  if (!oracle.available) {
    it.skip(`SKIPPED, Apache Kafka cannot be run: ${oracle.reason}`, () => {});
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'odradek-compat-compaction-'));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('leaves the same batches, time after time; DumpLogSegments finds nothing wrong with them', async () => {
    const ours = join(directory, 'ours', 'compared-0');
    const load = new Load(7);
    let log = open(ours);
    load.write(log, 300);
    log.close();
    const port = await freePortPair();
    const kafka = await KafkaCleaner.create({
      directory: join(directory, 'kafka'),
      port,
      topic: 'compared',
      configs: CONFIGS,
    });
    kafka.put(ours);
    let cleanedUpTo = 0;
    for (let turn = 0; turn < 3; turn++) {
      log = open(ours);
      const before = batchesIn(ours).length;
      cleanedUpTo = await compactOurs(log, cleanedUpTo);
      log.close();
      await kafka.clean(cleanedUpTo);
      expect(batchesIn(ours)).toEqual(batchesIn(kafka.folder));
      expect(batchesIn(ours).length).toBeLessThan(before);
      await dump(ours);
      // More of the same to both, so that there is something to compact again.
      const seed = 100 + turn;
      for (const dir of [ours, kafka.folder]) {
        log = open(dir);
        expect(log.producers().length).toBe(7);
        new Load(seed).write(log, 40);
        log.close();
      }
    }
  });

  async function dump(dir: string): Promise<void> {
    const files = readdirSync(dir).filter((name) => /^\d{20}\.(log|index|timeindex|txnindex|snapshot)$/.test(name));
    const paths = files.map((name) => join(dir, name)).join();
    const { code, stdout, stderr } = await runTool('org.apache.kafka.tools.DumpLogSegments', [
      '--files',
      paths,
      '--deep-iteration',
    ]);
    // Offsets are missing after a compaction, and the tool says so of Kafka's own files too.
    const complaints = stderr
      .split('\n')
      .filter((line) => line !== '' && !/^Non-consecutive|is followed by/.test(line));
    expect([code, complaints]).toEqual([0, []]);
    expect(stdout).not.toMatch(/corrupt|mismatch|isvalid: false|not match|misordered/i);
    await checkIndexes(paths.split(',').filter((path) => /index$/.test(path) && !path.endsWith('.txnindex')));
  }

  /** What Kafka asks of an index before it uses it, and that each entry names a batch of the compacted segment. */
  async function checkIndexes(paths: string[]): Promise<void> {
    for (const flag of ['--index-sanity-check', '--verify-index-only']) {
      const args = ['--files', paths.join(), flag];
      const { code, stdout, stderr } = await runTool('org.apache.kafka.tools.DumpLogSegments', args);
      expect([code, stderr.split('\n').filter((line) => /exception|error/i.test(line))]).toEqual([0, []]);
      expect(stdout).not.toMatch(/corrupt|mismatch|not match|misordered|out of order/i);
      const sane = stdout.match(/ (passed sanity check|is empty)\.$/gm) ?? [];
      if (flag === '--index-sanity-check') expect(sane).toHaveLength(paths.length);
    }
  }
});
