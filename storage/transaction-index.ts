/**
 * NNN.txnindex: the aborted transactions whose abort marker stands in NNN.log (KIP-98). There is no file where there is none.
 *
 *   0  version int16 (0)     10 firstOffset int64   26 lastStableOffset int64   at the time of the marker
 *   2  producerId int64      18 lastOffset int64    of the marker
 *
 * Entries rise in lastOffset.
 */
import { int64, setInt64 } from '../protocol/records/batch.ts';
import type { Disk } from './disk.ts';
import type { PooledFile } from './file-pool.ts';

const ENTRY_BYTES = 34;
const VERSION = 0;
const NO_BYTES = Buffer.alloc(0);

export interface AbortedTransactionEntry {
  producerId: number;
  firstOffset: number;
  lastOffset: number;
  lastStableOffset: number;
}

/** Where the index comes from that a file on disk has to agree with. */
export interface TransactionIndexSource {
  readonly disk: Disk;
  /** The offset that follows the segment, as it was found. */
  readonly endOffset: number;
  /** The entries, from the batches below `endOffset`. Throws LogError where these are damaged. */
  rebuild(): AbortedTransactionEntry[];
}

const NO_ENTRIES: readonly AbortedTransactionEntry[] = [];

export class TransactionIndex {
  readonly file: PooledFile;
  readonly #baseOffset: number;
  /** Read when first needed. */
  #entries: AbortedTransactionEntry[] | null = null;
  /** Of an index found on disk; null otherwise. */
  #source: TransactionIndexSource | null = null;
  /** Made anew when it is first needed, whatever the file holds. */
  #isDistrusted = false;

  constructor(file: PooledFile, baseOffset: number) {
    this.file = file;
    this.#baseOffset = baseOffset;
  }

  /** The segment was found on disk: what the file holds, or that there is none, is looked at before it is believed. */
  found(source: TransactionIndexSource): void {
    this.#source = source;
  }

  /** The file may be wrong or missing; not where it has been read already. */
  distrust(): void {
    this.#isDistrusted = true;
  }

  /** In order. Throws LogError where the file is wrong and the batches are damaged. */
  all(): readonly AbortedTransactionEntry[] {
    return this.#entries ?? (this.#mayHaveAny ? this.#load() : NO_ENTRIES);
  }

  get #mayHaveAny(): boolean {
    return this.file.exists || (this.#isDistrusted && this.#source !== null);
  }

  append(entry: AbortedTransactionEntry): void {
    const entries = this.#entries ?? (this.#mayHaveAny ? this.#load() : []);
    this.file.handle.writeSync(encode([entry]), entries.length * ENTRY_BYTES);
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
    this.#isDistrusted = false;
  }

  #load(): AbortedTransactionEntry[] {
    const source = this.#source;
    const bytes = this.file.exists ? this.#read() : NO_BYTES;
    const found = decode(bytes);
    const isRight = source === null || (!this.#isDistrusted && this.#isSane(bytes, found, source.endOffset));
    this.#entries = isRight ? found : this.#rebuild(source, bytes);
    return this.#entries;
  }

  #read(): Buffer {
    const { handle } = this.file;
    const buf = Buffer.alloc(handle.sizeBytes());
    return buf.subarray(0, handle.readSync(buf, 0));
  }

  /** Durably and as a whole: a file that a power cut has left empty would pass for one without transactions. */
  #rebuild(source: TransactionIndexSource, bytes: Buffer): AbortedTransactionEntry[] {
    const entries = source.rebuild();
    const wanted = encode(entries);
    if (wanted.equals(bytes)) return entries;
    // the pool has to know of a file that has been missing, and may not keep one open that is replaced
    this.file.create();
    this.file.close();
    source.disk.writeFile(this.file.path, wanted);
    return entries;
  }

  /** Kafka's TransactionIndex.sanityCheck, and what else holds of each entry: its marker is in the segment, its records come before. */
  #isSane(bytes: Buffer, entries: readonly AbortedTransactionEntry[], endOffset: number): boolean {
    if (bytes.length % ENTRY_BYTES !== 0) return false;
    let above = this.#baseOffset - 1;
    return entries.every(({ producerId, firstOffset, lastOffset, lastStableOffset }, i) => {
      const isInPlace = lastOffset > above && lastOffset < endOffset;
      above = lastOffset;
      const isTransaction = firstOffset >= 0 && firstOffset < lastOffset;
      const isStable = lastStableOffset >= 0 && lastStableOffset <= lastOffset + 1;
      const isKnown = bytes.readInt16BE(i * ENTRY_BYTES) === VERSION && producerId >= 0;
      return isKnown && isInPlace && isTransaction && isStable;
    });
  }
}

function encode(entries: readonly AbortedTransactionEntry[]): Buffer {
  const buf = Buffer.alloc(entries.length * ENTRY_BYTES);
  for (const [i, entry] of entries.entries()) {
    const at = i * ENTRY_BYTES;
    buf.writeInt16BE(VERSION, at);
    setInt64(buf, at + 2, entry.producerId);
    setInt64(buf, at + 10, entry.firstOffset);
    setInt64(buf, at + 18, entry.lastOffset);
    setInt64(buf, at + 26, entry.lastStableOffset);
  }
  return buf;
}

/** The whole entries; what is behind them is none. */
function decode(bytes: Buffer): AbortedTransactionEntry[] {
  const entries: AbortedTransactionEntry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    entries.push({
      producerId: int64(bytes, at + 2),
      firstOffset: int64(bytes, at + 10),
      lastOffset: int64(bytes, at + 18),
      lastStableOffset: int64(bytes, at + 26),
    });
  }
  return entries;
}
