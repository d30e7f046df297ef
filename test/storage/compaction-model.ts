/** A compacted log as the documentation tells it: keys, tombstones, horizons, transactions, producers; no files, no segments, no batches' bytes. */
import { expect } from 'vitest';
import type { Entry } from './compaction-helpers.ts';

/** Batches of one producer up to their marker. */
export interface ModelTransaction {
  readonly producerId: number;
  /** Null while it is open. */
  outcome: 'commit' | 'abort' | null;
  markerOffset: number;
}

/** What records have in common that were appended together. */
interface ModelBatch {
  readonly first: number;
  readonly last: number;
  readonly producerId: number;
  readonly nextSequence: number;
  readonly transaction: ModelTransaction | null;
  horizonMs: number | null;
}

export interface ModelRecord {
  readonly offset: number;
  readonly key: string;
  readonly value: string | null;
  readonly timestamp: number;
  readonly batch: ModelBatch;
}

export interface Appended {
  readonly offset: number;
  readonly entries: readonly Entry[];
  readonly timestamp: number;
  /** -1: none. */
  readonly producerId?: number;
  /** What the producer's next batch begins with. */
  readonly nextSequence?: number;
  readonly transaction?: ModelTransaction | null;
}

export interface Compacted {
  /** Keys of [from, to) were mapped. */
  readonly from: number;
  readonly to: number;
  /** Batches below were written anew: all in segments that begin below `to`. */
  readonly rewrittenUpTo: number;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  readonly minLagMs: number;
}

const isAborted = ({ batch }: ModelRecord): boolean => batch.transaction?.outcome === 'abort';

export class CompactedLogModel {
  start = 0;
  end = 0;
  /** What the log still has to hold. */
  records: ModelRecord[] = [];
  /** What it held before any compaction: the newest of each key in here is what readers are promised. */
  #history: ModelRecord[] = [];
  #batches: ModelBatch[] = [];
  #transactions: ModelTransaction[] = [];
  #compactedUpTo = 0;

  add({ offset, entries, timestamp, producerId = -1, nextSequence = 0, transaction = null }: Appended): void {
    const last = offset + entries.length - 1;
    const batch = { first: offset, last, producerId, nextSequence, transaction, horizonMs: null };
    this.#batches.push(batch);
    for (const [i, [key, value]] of entries.entries()) {
      const record = { offset: offset + i, key: key as string, value, timestamp: timestamp + i, batch };
      this.records.push(record);
      this.#history.push(record);
    }
    this.end = batch.last + 1;
  }

  /** The producer's transaction that is open, or a new one. */
  transactionOf(producerId: number): ModelTransaction {
    const open = this.#transactions.find((known) => known.producerId === producerId && known.outcome === null);
    if (open !== undefined) return open;
    const begun: ModelTransaction = { producerId, outcome: null, markerOffset: -1 };
    this.#transactions.push(begun);
    return begun;
  }

  complete(transaction: ModelTransaction, outcome: 'commit' | 'abort'): void {
    transaction.outcome = outcome;
    transaction.markerOffset = this.end;
    this.end += 1;
  }

  /** By producer id: what the log has to know of each, unless its last records are deleted. */
  nextSequences(): Map<number, { sequence: number; isDeleted: boolean }> {
    const sequences = new Map<number, { sequence: number; isDeleted: boolean }>();
    for (const { producerId, nextSequence: sequence, last } of this.#batches) {
      if (producerId >= 0) sequences.set(producerId, { sequence, isDeleted: last < this.start });
    }
    return sequences;
  }

  /** A producer that has begun anew since its records were cut off or deleted. */
  forgetProducer(producerId: number): void {
    this.#batches = this.#batches.filter((batch) => batch.producerId !== producerId);
  }

  truncate(offset: number): void {
    if (offset >= this.end) return;
    const stays = ({ last }: ModelBatch): boolean => last < offset;
    this.records = this.records.filter(({ batch }) => stays(batch));
    // A batch goes as a whole, and the compaction may have got into the middle of it.
    const cutFrom = Math.min(offset, ...this.#batches.filter((batch) => !stays(batch)).map(({ first }) => first));
    this.#batches = this.#batches.filter(stays);
    const reopened = this.#transactions.filter(({ markerOffset }) => markerOffset >= offset);
    // What is cut off was the newest of its key, or said that another record was, and the compaction has believed it.
    const isCompacted = cutFrom < this.#compactedUpTo || (this.#compactedUpTo > 0 && reopened.length > 0);
    this.#history = isCompacted ? [...this.records] : this.#history.filter(({ batch }) => stays(batch));
    this.#compactedUpTo = Math.min(this.#compactedUpTo, offset);
    for (const transaction of reopened) transaction.outcome = null;
    this.end = offset;
    this.start = Math.min(this.start, offset);
  }

  /** Readers do not see what is below `offset`; what is below `firstOffset`, in files that are gone, cannot come back. */
  trim(offset: number, firstOffset: number): void {
    this.start = offset;
    this.records = this.records.filter((record) => record.offset >= firstOffset);
    this.#history = this.#history.filter((record) => record.offset >= firstOffset);
  }

  compact({ from, to, rewrittenUpTo, nowMs, deleteRetentionMs, minLagMs }: Compacted): void {
    const newest = new Map<string, number>();
    for (const record of this.records) {
      if (record.offset >= from && record.offset < to && !isAborted(record)) newest.set(record.key, record.offset);
    }
    const before = this.records;
    this.records = before.filter((record) => {
      if (record.offset >= rewrittenUpTo) return true;
      if (isAborted(record)) return false;
      if (record.offset >= to) return true;
      const { horizonMs } = record.batch;
      const isExpired = record.value === null && horizonMs !== null && horizonMs <= nowMs;
      return record.offset >= (newest.get(record.key) ?? -1) && !isExpired;
    });
    for (const { offset, timestamp } of before) {
      // min.compaction.lag.ms holds for what is compacted now; what lies below was old enough before.
      if (offset >= from && offset < to) expect(timestamp).toBeLessThanOrEqual(nowMs - minLagMs);
    }
    for (const { offset, value, batch } of this.records) {
      if (offset < rewrittenUpTo && value === null) batch.horizonMs ??= nowMs + deleteRetentionMs;
    }
    this.#compactedUpTo = Math.max(this.#compactedUpTo, to);
    this.#checkPromise(nowMs, deleteRetentionMs);
  }

  /** What no rule of this model may change: a key has its newest value, or a tombstone that was there for long enough. */
  #checkPromise(nowMs: number, deleteRetentionMs: number): void {
    const newest = new Map<string, ModelRecord>();
    for (const record of this.#history) {
      if (record.batch.transaction === null || record.batch.transaction.outcome === 'commit') {
        newest.set(record.key, record);
      }
    }
    const kept = new Set(this.records);
    for (const record of newest.values()) {
      if (kept.has(record)) continue;
      expect(record.value).toBeNull();
      expect(record.timestamp).toBeLessThanOrEqual(nowMs - deleteRetentionMs);
    }
  }

  /** What a consumer sees: it gets whole batches. */
  visible(): { offset: number; key: string; value: string | null; timestamp: number }[] {
    return this.records.filter(({ batch }) => batch.last >= this.start).map(({ batch, ...record }) => record);
  }

  aborted(): ModelRecord[] {
    return this.records.filter((record) => isAborted(record) && record.batch.last >= this.start);
  }
}
