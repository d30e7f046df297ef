/**
 * A file of sorted entries of one size: what the offset index and the time index share. New entries gather in memory and go to the file
 * many at a time, since an index can be rebuilt and a write costs more than an entry is worth; the log makes sure that they are
 * written before the recovery point passes them. Searching reads the file, so that an index costs no memory while nobody looks.
 */
import type { PooledFile } from './file-pool.ts';

const MIN_PENDING = 16;
const MAX_PENDING = 512;
const NO_BYTES = Buffer.alloc(0);
const PAGE_BYTES = 4096;

/** Reads the sort key of the entry that begins at `at`. */
export type EntryKey = (buf: Buffer, at: number) => number;

/** One for all files: everything here is synchronous. */
const page = Buffer.allocUnsafeSlow(PAGE_BYTES);

export class EntryFile {
  readonly file: PooledFile;
  readonly entryBytes: number;
  /** Entries in the file; -1 until it has been looked at. */
  #written: number;
  #pending: Buffer | null = null;
  #pendingCount = 0;
  /** Behind the entries there may be bytes that are none: of a write that has failed, or of the entries before a reset. */
  #hasRest = false;

  constructor(file: PooledFile, entryBytes: number) {
    this.file = file;
    this.entryBytes = entryBytes;
    this.#written = file.exists ? -1 : 0;
  }

  get count(): number {
    return this.#writtenCount() + this.#pendingCount;
  }

  /** False when the file's length is not that of whole entries. */
  hasWholeEntries(): boolean {
    return !this.file.exists || this.file.handle.sizeBytes() % this.entryBytes === 0;
  }

  /** Room for one more entry: fill it at once. */
  append(): { buf: Buffer; at: number } {
    this.#writtenCount();
    if (this.#pendingCount === MAX_PENDING) this.writePending();
    const at = this.#pendingCount * this.entryBytes;
    if (this.#pending === null || at === this.#pending.length) this.#growPending();
    this.#pendingCount += 1;
    return { buf: this.#pending as Buffer, at };
  }

  #growPending(): void {
    const grown = Buffer.allocUnsafeSlow((this.#pending?.length ?? (MIN_PENDING / 2) * this.entryBytes) * 2);
    this.#pending?.copy(grown);
    this.#pending = grown;
  }

  /** Puts what is in memory into the file; creates the file even when there is nothing. */
  writePending(): void {
    const handle = this.file.handle;
    const end = this.#writtenCount() * this.entryBytes;
    const entries = (this.#pending ?? NO_BYTES).subarray(0, this.#pendingCount * this.entryBytes);
    const known = this.#hasRest ? this.#keepRest(entries, end) : 0;
    this.#hasRest = false;
    if (known < entries.length) {
      // Until it has come back, a part may be in the file.
      this.#hasRest = true;
      handle.writeSync(entries.subarray(known), end + known);
      this.#hasRest = false;
    }
    this.#written += this.#pendingCount;
    this.#pendingCount = 0;
  }

  /** How many bytes of `entries` are in the file from `end` on; where anything else is, it goes. An index made anew is mostly the same. */
  #keepRest(entries: Buffer, end: number): number {
    const { handle } = this.file;
    const rest = Buffer.allocUnsafe(entries.length + 1);
    const count = handle.readSync(rest, end);
    const isSame = count <= entries.length && rest.subarray(0, count).equals(entries.subarray(0, count));
    if (isSame) return count;
    handle.truncateSync(end);
    return 0;
  }

  /** Gives the memory back; to be called when no more entries are expected. */
  release(): void {
    this.writePending();
    this.#pending = null;
  }

  /** The bytes of entry `slot`, good until the next call. */
  entry(slot: number): { buf: Buffer; at: number } {
    const written = this.#writtenCount();
    if (slot >= written) return { buf: this.#pending as Buffer, at: (slot - written) * this.entryBytes };
    this.file.handle.readSync(page.subarray(0, this.entryBytes), slot * this.entryBytes);
    return { buf: page, at: 0 };
  }

  /** The last slot whose key is at most `target`, or -1. */
  floorSlot(target: number, key: EntryKey): number {
    const written = this.#writtenCount();
    if (this.#pendingCount > 0 && key(this.#pending as Buffer, 0) <= target) {
      return written + floorIn(this.#pending as Buffer, this.#pendingCount, this.entryBytes, target, key);
    }
    return this.#floorInFile(target, key, written);
  }

  #floorInFile(target: number, key: EntryKey, written: number): number {
    const perPage = Math.floor(PAGE_BYTES / this.entryBytes);
    let low = 0;
    let high = written;
    while (high - low > perPage) {
      const middle = (low + high) >>> 1;
      const { buf, at } = this.entry(middle);
      if (key(buf, at) <= target) low = middle;
      else high = middle;
    }
    if (high === low) return -1;
    this.file.handle.readSync(page.subarray(0, (high - low) * this.entryBytes), low * this.entryBytes);
    return low + floorIn(page, high - low, this.entryBytes, target, key);
  }

  /** Keeps the first `count` entries. */
  truncate(count: number): void {
    const written = this.#writtenCount();
    this.#pendingCount = Math.max(0, Math.min(this.#pendingCount, count - written));
    if (count >= written) return;
    this.file.handle.truncateSync(count * this.entryBytes);
    this.#hasRest = false;
    this.#written = count;
  }

  /** Drops all entries, and whatever else is in the file: from there it goes with the next write. */
  reset(): void {
    this.#pendingCount = 0;
    this.#hasRest = this.file.exists;
    this.#written = 0;
  }

  #writtenCount(): number {
    if (this.#written < 0) this.#written = Math.floor(this.file.handle.sizeBytes() / this.entryBytes);
    return this.#written;
  }
}

/** The last of `count` entries whose key is at most `target`, or -1. */
function floorIn(buf: Buffer, count: number, entryBytes: number, target: number, key: EntryKey): number {
  let low = -1;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (key(buf, middle * entryBytes) <= target) low = middle;
    else high = middle;
  }
  return low;
}
