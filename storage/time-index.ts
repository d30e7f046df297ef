/**
 * NNN.timeindex: how far timestamps have risen (KIP-33), sparse.
 *
 *   0  timestamp int64        the largest in the segment up to and with this batch, milliseconds
 *   8  relativeOffset int32   last offset of the batch that holds it, less the segment's base offset
 *
 * Entries rise in both fields. A segment that is rolled or closed ends with an entry for its largest timestamp.
 */
import { int64, setInt64 } from '../protocol/records/batch.ts';
import { EntryFile } from './entry-file.ts';
import type { PooledFile } from './file-pool.ts';

const ENTRY_BYTES = 12;
const NO_TIMESTAMP = -1;

const relativeOffset = (buf: Buffer, at: number): number => buf.readInt32BE(at + 8);

export class TimeIndex {
  readonly entries: EntryFile;
  readonly #baseOffset: number;
  #lastTimestamp = NO_TIMESTAMP;
  #lastOffset: number;
  #loaded = false;

  constructor(file: PooledFile, baseOffset: number) {
    this.entries = new EntryFile(file, ENTRY_BYTES);
    this.#baseOffset = baseOffset;
    this.#lastOffset = baseOffset;
  }

  /** Kafka keeps the last slot for the entry made on closing. */
  isFull(maxBytes: number): boolean {
    return this.entries.count >= Math.floor(maxBytes / ENTRY_BYTES) - 1;
  }

  get sizeBytes(): number {
    return this.entries.count * ENTRY_BYTES;
  }

  /** -1 when the index is empty. */
  get lastTimestamp(): number {
    this.#load();
    return this.#lastTimestamp;
  }

  /** The base offset when the index is empty. */
  get lastOffset(): number {
    this.#load();
    return this.#lastOffset;
  }

  /** Adds an entry if the timestamp is larger than that of the last one. */
  maybeAppend(timestamp: number, offset: number): void {
    if (timestamp <= this.lastTimestamp) return;
    const { buf, at } = this.entries.append();
    setInt64(buf, at, timestamp);
    buf.writeInt32BE(offset - this.#baseOffset, at + 8);
    this.#lastTimestamp = timestamp;
    this.#lastOffset = offset;
  }

  /** An offset with no record of `timestamp` or later before it, the highest one known. */
  lookup(timestamp: number): number {
    const slot = this.entries.floorSlot(timestamp, int64);
    if (slot < 0) return this.#baseOffset;
    const { buf, at } = this.entries.entry(slot);
    return this.#baseOffset + relativeOffset(buf, at);
  }

  /** Drops entries for `offset` and above. */
  truncateTo(offset: number): void {
    this.entries.truncate(this.entries.floorSlot(offset - this.#baseOffset - 1, relativeOffset) + 1);
    this.#loaded = false;
  }

  reset(): void {
    this.entries.reset();
    this.#loaded = false;
  }

  isSane(): boolean {
    if (!this.entries.hasWholeEntries()) return false;
    const count = this.entries.count;
    if (count === 0) return true;
    const first = this.entries.entry(0);
    const firstTimestamp = int64(first.buf, first.at);
    return this.lastOffset >= this.#baseOffset && (count === 1 || this.lastTimestamp > firstTimestamp);
  }

  #load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    this.#lastTimestamp = NO_TIMESTAMP;
    this.#lastOffset = this.#baseOffset;
    const count = this.entries.count;
    if (count === 0) return;
    const { buf, at } = this.entries.entry(count - 1);
    this.#lastTimestamp = int64(buf, at);
    this.#lastOffset = this.#baseOffset + relativeOffset(buf, at);
  }
}
