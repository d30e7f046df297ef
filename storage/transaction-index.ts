/**
 * NNN.txnindex: the aborted transactions whose abort marker stands in NNN.log (KIP-98). There is no file where there is none.
 *
 *   0  version int16 (0)     10 firstOffset int64   26 lastStableOffset int64   at the time of the marker
 *   2  producerId int64      18 lastOffset int64    of the marker
 *
 * Entries rise in lastOffset.
 */
import { int64, setInt64 } from '../protocol/records/batch.ts';
import type { PooledFile } from './file-pool.ts';

const ENTRY_BYTES = 34;
const VERSION = 0;

export interface AbortedTransactionEntry {
  producerId: number;
  firstOffset: number;
  lastOffset: number;
  lastStableOffset: number;
}

export class TransactionIndex {
  readonly file: PooledFile;
  /** Read when first needed. */
  #entries: AbortedTransactionEntry[] | null = null;

  constructor(file: PooledFile) {
    this.file = file;
  }

  all(): readonly AbortedTransactionEntry[] {
    if (!this.file.exists) return [];
    this.#entries ??= this.#read();
    return this.#entries;
  }

  append(entry: AbortedTransactionEntry): void {
    const buf = Buffer.alloc(ENTRY_BYTES);
    buf.writeInt16BE(VERSION, 0);
    setInt64(buf, 2, entry.producerId);
    setInt64(buf, 10, entry.firstOffset);
    setInt64(buf, 18, entry.lastOffset);
    setInt64(buf, 26, entry.lastStableOffset);
    const entries = this.file.exists ? (this.#entries ?? this.#read()) : [];
    this.file.handle.writeSync(buf, entries.length * ENTRY_BYTES);
    entries.push(entry);
    this.#entries = entries;
  }

  /** Drops transactions whose marker is at `offset` or above. */
  truncateTo(offset: number): void {
    const kept = this.all().filter((entry) => entry.lastOffset < offset);
    if (kept.length === this.all().length) return;
    this.file.handle.truncateSync(kept.length * ENTRY_BYTES);
    this.#entries = kept;
  }

  reset(): void {
    if (this.file.exists) this.file.handle.truncateSync(0);
    this.#entries = null;
  }

  /** An unfinished entry at the end, from a crash, is not one. */
  #read(): AbortedTransactionEntry[] {
    const handle = this.file.handle;
    const buf = Buffer.alloc(handle.sizeBytes());
    const count = Math.floor(handle.readSync(buf, 0) / ENTRY_BYTES);
    const entries: AbortedTransactionEntry[] = [];
    for (let at = 0; entries.length < count; at += ENTRY_BYTES) {
      entries.push({
        producerId: int64(buf, at + 2),
        firstOffset: int64(buf, at + 10),
        lastOffset: int64(buf, at + 18),
        lastStableOffset: int64(buf, at + 26),
      });
    }
    return entries;
  }
}
