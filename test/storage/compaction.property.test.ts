/** Random keyed appends, transactions, rolls, compactions and reopenings beside a plain model of what a compaction keeps. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompressionType } from '../../protocol/records/batch.ts';
import { cleanableSection } from '../../storage/cleanable.ts';
import { type Log, MemoryDisk } from '../../storage/index.ts';
import { checkIndexFiles, marker, openLog, TestClock } from './batches.ts';
import { compact, type Entry, keptRecords, keyed } from './compaction-helpers.ts';

const DELETE_RETENTION_MS = 100;
const CONFIG = {
  cleanupPolicy: { delete: false, compact: true },
  segmentBytes: 700,
  indexIntervalBytes: 150,
  deleteRetentionMs: DELETE_RETENTION_MS,
  fileDeleteDelayMs: 0,
};

type Operation =
  | { kind: 'append'; entries: [number, boolean][]; codec: number }
  | { kind: 'transaction'; producer: number; entries: [number, boolean][]; commit: boolean }
  | { kind: 'compact'; keys: number; windowBytes: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'reopen'; clean: boolean };

const entries = fc.array(fc.tuple(fc.nat({ max: 6 }), fc.boolean()), { minLength: 1, maxLength: 5 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('append' as const), entries, codec: fc.nat({ max: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      producer: fc.integer({ min: 1, max: 3 }),
      entries,
      commit: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      keys: fc.integer({ min: 1, max: 12 }),
      windowBytes: fc.integer({ min: 1, max: 900 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 150 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), clean: fc.boolean() }) },
);

interface ModelRecord {
  offset: number;
  key: string;
  value: string | null;
  timestamp: number;
  batch: ModelBatch;
}

/** What records have in common that were appended together. */
interface ModelBatch {
  aborted: boolean;
  horizonMs: number | null;
}

/** A compaction as the documentation tells it: keys, tombstones, horizons; no files, no batches. */
class Model {
  records: ModelRecord[] = [];

  add(offset: number, entries: readonly Entry[], timestamp: number, aborted: boolean): void {
    const batch = { aborted, horizonMs: null };
    for (const [i, [key, value]] of entries.entries()) {
      this.records.push({ offset: offset + i, key: key as string, value, timestamp: timestamp + i, batch });
    }
  }

  /** Keys of [from, to) were mapped; batches in segments that begin below `to` were written anew. */
  compact(from: number, to: number, rewrittenUpTo: number, nowMs: number): void {
    const newest = new Map<string, number>();
    for (const { offset, key, batch } of this.records) {
      if (offset >= from && offset < to && !batch.aborted) newest.set(key, offset);
    }
    this.records = this.records.filter((record) => {
      if (record.offset >= rewrittenUpTo) return true;
      if (record.batch.aborted) return false;
      if (record.offset >= to) return true;
      const { horizonMs } = record.batch;
      const isExpired = record.value === null && horizonMs !== null && horizonMs <= nowMs;
      return record.offset >= (newest.get(record.key) ?? -1) && !isExpired;
    });
    for (const { offset, value, batch } of this.records) {
      if (offset < rewrittenUpTo && value === null) batch.horizonMs ??= nowMs + DELETE_RETENTION_MS;
    }
  }
}

class Run {
  readonly disk = new MemoryDisk();
  readonly clock = new TestClock();
  readonly model = new Model();
  readonly #sequences = new Map<number, number>();
  #values = 0;
  log: Log = this.#open(0, true);

  #open(recoveryPoint: number, clean: boolean, cleanedUpTo?: number): Log {
    const { disk, clock } = this;
    return openLog(disk, { config: CONFIG, clock, recoveryPoint, clean, cleanedUpTo });
  }

  async apply(step: Operation): Promise<void> {
    switch (step.kind) {
      case 'append': {
        const codecs = Object.values(CompressionType);
        this.#append(step.entries, { compression: codecs[step.codec] }, false);
        break;
      }
      case 'transaction': {
        const baseSequence = this.#sequences.get(step.producer) ?? 0;
        this.#sequences.set(step.producer, baseSequence + step.entries.length);
        const producer = { producerId: step.producer, producerEpoch: 0, baseSequence, transactional: true };
        this.#append(step.entries, producer, !step.commit);
        this.log.appendAsLeader(marker(step.producer, step.commit), 0, 'coordinator');
        this.log.onHighWatermark(this.log.logEndOffset);
        break;
      }
      case 'compact':
        await this.#compact(step);
        break;
      case 'wait':
        this.clock.now += step.ms;
        break;
      case 'reopen':
        this.#reopen(step.clean);
        break;
    }
    this.#check();
  }

  #append(keys: [number, boolean][], options: Parameters<typeof keyed>[1], aborted: boolean): void {
    const entries: Entry[] = keys.map(([key, isTombstone]) => [`k${key}`, isTombstone ? null : `v${this.#values++}`]);
    const { firstOffset } = this.log.appendAsLeader(keyed(entries, { ...options, timestamp: this.clock.now }), 0);
    this.model.add(firstOffset, entries, this.clock.now, aborted);
  }

  async #compact({ keys, windowBytes }: Extract<Operation, { kind: 'compact' }>): Promise<void> {
    const { log } = this;
    const offsets = { lastStableOffset: log.firstUnstableOffset ?? log.logEndOffset, highWatermark: log.logEndOffset };
    const section = cleanableSection({ log, ...offsets }, this.clock.now);
    if (section === null) return;
    const { firstDirtyOffset: from, firstUncleanableOffset: upTo } = section;
    const bases = log.segments.map(({ baseOffset }) => baseOffset);
    const mapBytes = Math.ceil(keys / 0.9) * 24;
    const { endOffset } = await compact(log, this.disk, { from, upTo, mapBytes, windowBytes, nowMs: this.clock.now });
    expect(endOffset).toBeGreaterThan(from);
    expect(endOffset).toBeLessThanOrEqual(upTo);
    log.cleanedUpTo = endOffset;
    const rewrittenUpTo = bases.find((base) => base >= endOffset) as number;
    this.model.compact(from, endOffset, rewrittenUpTo, this.clock.now);
  }

  #reopen(clean: boolean): void {
    const { log } = this;
    const producers = log.producers().map(({ producerId, lastSequence }) => [producerId, lastSequence]);
    const { logEndOffset, recoveryPoint, cleanedUpTo } = log;
    if (clean) log.close();
    else log.abandon();
    this.log = this.#open(clean ? logEndOffset : recoveryPoint, clean, cleanedUpTo ?? undefined);
    expect(this.log.logEndOffset).toBe(logEndOffset);
    expect(this.log.producers().map(({ producerId, lastSequence }) => [producerId, lastSequence])).toEqual(producers);
  }

  #check(): void {
    expect(keptRecords(this.log)).toEqual(this.model.records.map(({ batch, ...record }) => record));
    for (const { offset, batch } of this.model.records) {
      const skipped = this.log.abortedTransactions(offset, offset + 1).some(({ firstOffset }) => firstOffset <= offset);
      if (batch.aborted) expect(skipped).toBe(true);
    }
  }
}

test('a compaction keeps what it has to keep, at its offsets, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (steps) => {
      const run = new Run();
      for (const step of steps) await run.apply(step);
      run.log.close();
      checkIndexFiles(run.disk, run.log.dir);
    }),
    { numRuns: 200 },
  );
});
