/** Keyed records, compactions and what is left of them, for the tests of compaction. */
import * as header from '../../protocol/records/batch.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { type BatchOptions, encodeBatch } from '../../protocol/records/encode.ts';
import { type CompactionResult, compactLog } from '../../storage/compaction/compact.ts';
import type { HashSecret } from '../../storage/compaction/key-hash.ts';
import { Pacer } from '../../storage/compaction/pacer.ts';
import { CompactionWork } from '../../storage/compaction/work.ts';
import type { Log, MemoryDisk } from '../../storage/index.ts';
import { framesOf, readAll } from './batches.ts';

export const SECRET: HashSecret = [0x1234, -77, 0x7fff_ffff, 5];

/** Key and value; a null value is a tombstone. */
export type Entry = readonly [key: string | null, value: string | null];

export function keyed(entries: readonly Entry[], options: BatchOptions & { timestamp?: number } = {}): Buffer {
  const { timestamp = 1000, ...batchOptions } = options;
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
  const records = entries.map(([key, value], i) => ({
    key: bytes(key),
    value: bytes(value),
    timestamp: timestamp + i,
  }));
  return encodeBatch(records, batchOptions);
}

export interface Kept {
  offset: number;
  key: string | null;
  value: string | null;
  timestamp: number;
}

/** Data records that a consumer sees. */
export function keptRecords(log: Log): Kept[] {
  const bytes = readAll(log);
  return framesOf(bytes).flatMap(({ at }) => {
    if ((header.attributes(bytes, at) & header.CONTROL_BIT) !== 0) return [];
    return readRecords(bytes, at).map(({ offset, key, value, timestamp }) => {
      return { offset, key: key?.toString() ?? null, value: value?.toString() ?? null, timestamp };
    });
  });
}

/** `offset:key=value` of each data record, `offset:key-` of a tombstone. */
export const contentOf = (log: Log): string[] =>
  keptRecords(log).map(({ offset, key, value }) => `${offset}:${key}${value === null ? '-' : `=${value}`}`);

/** A pacer in whose time nothing takes any. */
export const eagerPacer = (): Pacer =>
  new Pacer({ monotonicMs: () => 0, yieldLoop: async () => {}, sleep: async () => {} }, () => Number.MAX_VALUE);

export interface CompactOptions {
  from?: number;
  upTo?: number;
  nowMs?: number;
  mapBytes?: number;
  windowBytes?: number;
  isStopped?: () => boolean;
  pacer?: Pacer;
}

/** One compaction; by default of all but the active segment. */
export function compact(log: Log, disk: MemoryDisk, options: CompactOptions = {}): Promise<CompactionResult> {
  const pacer = options.pacer ?? eagerPacer();
  return compactLog({
    log,
    firstDirtyOffset: options.from ?? log.logStartOffset,
    firstUncleanableOffset: options.upTo ?? log.segments[log.segments.length - 1].baseOffset,
    nowMs: options.nowMs ?? 10_000,
    mapBytes: options.mapBytes ?? 24_000,
    mapLoadFactor: 0.9,
    windowBytes: options.windowBytes ?? 300,
    secret: SECRET,
    startWorker: (settings, control) => new CompactionWork(disk, settings, control, pacer),
    maxBytesPerSecond: () => Number.MAX_VALUE,
    checkpointRecoveryPoint: async () => {},
    isStopped: options.isStopped ?? (() => false),
  });
}

/** Begins a new segment, as an append does when the active one is full; it takes an offset with a record of the key `roll`. */
export function roll(log: Log): void {
  const { config } = log;
  const last = log.segments[log.segments.length - 1];
  const bytes = keyed([['roll', 'x']], { timestamp: last.maxTimestamp + 10 });
  log.updateConfig({ ...config, segmentBytes: bytes.length });
  log.appendAsLeader(bytes, 0);
  log.updateConfig(config);
}
