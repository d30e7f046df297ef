/**
 * NNN.index: where batches stand in NNN.log, sparse (an entry after every index.interval.bytes).
 *
 *   0  relativeOffset int32   last offset of a batch, less the segment's base offset
 *   4  position int32         of that batch in the .log file, in bytes
 *
 * Entries rise in both fields. The file holds exactly its entries (Kafka preallocates and trims on close).
 */
import { EntryFile } from './entry-file.ts';
import type { PooledFile } from './file-pool.ts';

const ENTRY_BYTES = 8;
export const MAX_RELATIVE_OFFSET = 0x7fff_ffff;

const relativeOffset = (buf: Buffer, at: number): number => buf.readInt32BE(at);
const positionOf = (buf: Buffer, at: number): number => buf.readInt32BE(at + 4);

export class OffsetIndex {
  readonly entries: EntryFile;
  readonly #baseOffset: number;

  constructor(file: PooledFile, baseOffset: number) {
    this.entries = new EntryFile(file, ENTRY_BYTES);
    this.#baseOffset = baseOffset;
  }

  isFull(maxBytes: number): boolean {
    return this.entries.count >= Math.floor(maxBytes / ENTRY_BYTES);
  }

  get sizeBytes(): number {
    return this.entries.count * ENTRY_BYTES;
  }

  append(lastOffset: number, position: number): void {
    const { buf, at } = this.entries.append();
    buf.writeInt32BE(lastOffset - this.#baseOffset, at);
    buf.writeInt32BE(position, at + 4);
  }

  /** The position of an indexed batch that ends at or before `offset`, the nearest one; 0 when there is none. */
  lookup(offset: number): number {
    return this.#positionAt(this.entries.floorSlot(offset - this.#baseOffset, relativeOffset));
  }

  /** The position of the last indexed batch that begins at or before byte `position`; 0 when there is none. */
  lookupPosition(position: number): number {
    return this.#positionAt(this.entries.floorSlot(position, positionOf));
  }

  #positionAt(slot: number): number {
    if (slot < 0) return 0;
    const { buf, at } = this.entries.entry(slot);
    return positionOf(buf, at);
  }

  /** The position of the last indexed batch, 0 when there is none. */
  lastPosition(): number {
    return this.#positionAt(this.entries.count - 1);
  }

  /** The last offset indexed, the base offset when there is none. */
  lastOffset(): number {
    const count = this.entries.count;
    if (count === 0) return this.#baseOffset;
    const { buf, at } = this.entries.entry(count - 1);
    return this.#baseOffset + relativeOffset(buf, at);
  }

  /** Drops entries for `offset` and above. */
  truncateTo(offset: number): void {
    this.entries.truncate(this.entries.floorSlot(offset - this.#baseOffset - 1, relativeOffset) + 1);
  }

  /** What Kafka's sanity check asks, and that the last entry points into the log. */
  isSane(logSizeBytes: number): boolean {
    if (!this.entries.hasWholeEntries()) return false;
    const count = this.entries.count;
    if (count === 0) return true;
    const { buf, at } = this.entries.entry(count - 1);
    const position = buf.readInt32BE(at + 4);
    return relativeOffset(buf, at) >= 0 && position < logSizeBytes && (count === 1 || position > 0);
  }
}
