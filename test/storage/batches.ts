/** Batches and logs for the tests of storage. */
import { expect } from 'vitest';
import { transactionMarkerBatch } from '../../protocol/records/control.ts';
import { type BatchOptions, encodeBatch } from '../../protocol/records/encode.ts';
import {
  DEFAULT_LOG_CONFIG,
  type Disk,
  Log,
  type LogConfig,
  type LogOptions,
  MemoryDisk,
} from '../../storage/index.ts';

export const TOPIC_ID = 'abcdefghijklmnopqrstuv';

/** A batch of `count` records of `valueBytes` each; timestamps rise by one from `timestamp`. */
export function batch(count = 1, options: BatchOptions & { valueBytes?: number; timestamp?: number } = {}): Buffer {
  const { valueBytes = 10, timestamp = 1_000, ...header } = options;
  const value = Buffer.alloc(valueBytes, 'x');
  const records = Array.from({ length: count }, (_, i) => ({ value, timestamp: timestamp + i }));
  return encodeBatch(records, header);
}

/** A batch of an idempotent producer; a transactional one with `transactional`. */
export function produced(
  producerId: number,
  baseSequence: number,
  options: BatchOptions & { count?: number } = {},
): Buffer {
  const { count = 1, ...header } = options;
  return batch(count, { producerEpoch: 0, ...header, producerId, baseSequence });
}

export function marker(
  producerId: number,
  commit: boolean,
  options: { epoch?: number; coordinatorEpoch?: number } = {},
): Buffer {
  const { epoch: producerEpoch = 0, coordinatorEpoch = 0 } = options;
  return transactionMarkerBatch({ commit, coordinatorEpoch, producerId, producerEpoch, timestampMs: 2_000 });
}

/** A clock that stands until it is moved. */
export class TestClock {
  now = 1_000_000;

  nowMs(): number {
    return this.now;
  }
}

export function testConfig(changes: Partial<LogConfig> = {}): LogConfig {
  return { ...DEFAULT_LOG_CONFIG, ...changes };
}

export function openLog(
  disk: Disk,
  options: Partial<Omit<LogOptions, 'config'>> & { config?: Partial<LogConfig> } = {},
): Log {
  const { config, ...rest } = options;
  return Log.open({
    disk,
    dir: '/data/t-0',
    topic: 't',
    partition: 0,
    topicId: TOPIC_ID,
    clock: new TestClock(),
    clean: false,
    ...rest,
    config: testConfig(config),
  });
}

export function newLog(config: Partial<LogConfig> = {}): Log {
  return openLog(new MemoryDisk(), { config });
}

/** All that can be read from `from` on, in one piece. */
export function readAll(log: Log, from: number = log.logStartOffset): Buffer {
  const pieces: Buffer[] = [];
  for (let offset = from; offset < log.logEndOffset; ) {
    const { records } = log.read(offset, 1_000_000, { upTo: log.logEndOffset, minOneBatch: true });
    if (records.length === 0) break;
    pieces.push(Buffer.from(records));
    offset = nextOffset(records);
  }
  return Buffer.concat(pieces);
}

/** The offset after the last batch in `records`. */
export function nextOffset(records: Buffer): number {
  let next = -1;
  for (const { last } of framesOf(records)) next = last + 1;
  return next;
}

export function framesOf(records: Buffer): { at: number; size: number; base: number; last: number }[] {
  const frames: { at: number; size: number; base: number; last: number }[] = [];
  for (let at = 0; at < records.length; ) {
    const size = records.readInt32BE(at + 8) + 12;
    const base = Number(records.readBigInt64BE(at));
    frames.push({ at, size, base, last: base + records.readInt32BE(at + 23) });
    at += size;
  }
  return frames;
}

/** What Kafka's index sanity check asks of the files in a partition's folder: each entry names a batch and what the batch says. */
export function checkIndexFiles(disk: Disk, dir: string): void {
  for (const name of disk.list(dir)) {
    if (!name.endsWith('.log')) continue;
    const stem = `${dir}/${name.slice(0, -4)}`;
    const base = Number(name.slice(0, -4));
    const log = disk.readFile(`${stem}.log`) as Buffer;
    const frames = framesOf(log);
    checkOffsetIndex(frames, base, disk.readFile(`${stem}.index`) ?? Buffer.alloc(0));
    checkTimeIndex(log, frames, base, disk.readFile(`${stem}.timeindex`) ?? Buffer.alloc(0));
  }
}

type Frame = ReturnType<typeof framesOf>[number];

function checkOffsetIndex(frames: Frame[], base: number, index: Buffer): void {
  let before = -1;
  expect(index.length % 8).toBe(0);
  for (let at = 0; at < index.length; at += 8) {
    const frame = frames.find((candidate) => candidate.at === index.readInt32BE(at + 4));
    expect(frame?.last).toBe(base + index.readInt32BE(at));
    expect(index.readInt32BE(at)).toBeGreaterThan(before);
    before = index.readInt32BE(at);
  }
}

function checkTimeIndex(log: Buffer, frames: Frame[], base: number, index: Buffer): void {
  let before = -1;
  expect(index.length % 12).toBe(0);
  for (let at = 0; at < index.length; at += 12) {
    const timestamp = Number(index.readBigInt64BE(at));
    const frame = frames.find((candidate) => candidate.last === base + index.readInt32BE(at + 8)) as Frame;
    expect(Number(log.readBigInt64BE(frame.at + 35))).toBe(timestamp);
    expect(timestamp).toBeGreaterThan(before);
    before = timestamp;
  }
  const largest = Math.max(-1, ...frames.map((frame) => Number(log.readBigInt64BE(frame.at + 35))));
  expect(before).toBe(largest);
}
