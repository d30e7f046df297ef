/** Reads a .log file from one end to the other, in windows of whole batches; the next window is fetched while one is worked on. */
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  lastOffset,
  MAGIC_V2,
  magic,
  sizeBytes,
} from '../../protocol/records/batch.ts';
import type { DiskFile } from '../disk.ts';
import { LogError } from '../log-error.ts';

/** Offsets of a segment; `upTo` is exclusive. */
interface OffsetRange {
  readonly from: number;
  readonly upTo: number;
}

interface Window {
  buf: Buffer;
  view: DataView;
}

export class BatchReader {
  readonly #file: DiskFile;
  readonly #end: number;
  readonly #upToOffset: number;
  /** Offsets rise: the next batch does not begin below. */
  #nextOffset: number;
  #windowBytes: number;
  #current: Window;
  #other: Window;
  #position: number;
  #length = 0;
  /** The read that is under way, into `#other`. */
  #ahead: Promise<number> | null = null;

  /** From `position`, the start of a batch, up to `end`, the end of one (bytes). */
  constructor(file: DiskFile, position: number, end: number, windowBytes: number, offsets: OffsetRange) {
    this.#nextOffset = offsets.from;
    this.#upToOffset = offsets.upTo;
    this.#file = file;
    this.#position = position;
    this.#end = end;
    this.#windowBytes = Math.max(windowBytes, BATCH_HEADER_BYTES);
    this.#current = window(this.#windowBytes);
    this.#other = window(this.#windowBytes);
  }

  /** What `next` has read: whole batches in the first `length` bytes. Good until it is called again. */
  get buf(): Buffer {
    return this.#current.buf;
  }
  get view(): DataView {
    return this.#current.view;
  }
  get length(): number {
    return this.#length;
  }

  /** Reads on; false at the end. Throws LogError where something else than whole v2 batches follows. */
  async next(): Promise<boolean> {
    this.#position += this.#length;
    this.#length = 0;
    if (this.#position >= this.#end) return false;
    let count = await (this.#ahead ?? this.#readInto(this.#other, this.#position));
    this.#swap();
    this.#length = this.#wholeBatches(count);
    if (this.#length === 0) {
      this.#windowBytes = this.#firstBatchBytes(count);
      this.#current = window(this.#windowBytes);
      count = await this.#readInto(this.#current, this.#position);
      this.#length = this.#wholeBatches(count);
    }
    if (this.#length === 0) throw this.#damaged(this.#position, 'no whole batch');
    this.#readAhead();
    return true;
  }

  #swap(): void {
    const before = this.#current;
    this.#current = this.#other;
    this.#other = before;
  }

  #readAhead(): void {
    this.#ahead = null;
    const position = this.#position + this.#length;
    if (position >= this.#end) return;
    if (this.#other.buf.length < this.#windowBytes) this.#other = window(this.#windowBytes);
    this.#ahead = this.#readInto(this.#other, position);
    // Who stops reading does not wait for it.
    this.#ahead.catch(() => {});
  }

  #readInto({ buf }: Window, position: number): Promise<number> {
    return this.#file.read(buf.subarray(0, Math.min(buf.length, this.#end - position)), position);
  }

  /** The bytes of the batches that are wholly in the first `count` bytes of the window. */
  #wholeBatches(count: number): number {
    let at = 0;
    while (count - at >= BATCH_HEADER_BYTES) {
      const size = this.#checkedSize(at);
      if (size > count - at) break;
      this.#checkOffsets(at);
      at += size;
    }
    return at;
  }

  #firstBatchBytes(count: number): number {
    if (count < BATCH_HEADER_BYTES) throw this.#damaged(this.#position, `${count} bytes are left`);
    const size = this.#checkedSize(0);
    if (size > this.#end - this.#position) throw this.#damaged(this.#position, `a batch of ${size} bytes`);
    return size;
  }

  #checkedSize(at: number): number {
    const { buf } = this.#current;
    const size = sizeBytes(buf, at);
    if (size < BATCH_HEADER_BYTES) throw this.#damaged(this.#position + at, `a batch of ${size} bytes`);
    if (magic(buf, at) !== MAGIC_V2) throw this.#damaged(this.#position + at, `a batch of format v${magic(buf, at)}`);
    return size;
  }

  /** No checksum covers the base offset. */
  #checkOffsets(at: number): void {
    const { buf } = this.#current;
    const base = baseOffset(buf, at);
    const last = lastOffset(buf, at);
    if (base < this.#nextOffset || last < base || last >= this.#upToOffset) {
      throw this.#damaged(this.#position + at, `offsets ${base} to ${last}`);
    }
    this.#nextOffset = last + 1;
  }

  #damaged(position: number, what: string): LogError {
    return new LogError('CORRUPT_MESSAGE', `${this.#file.path} at byte ${position}: ${what}`);
  }
}

function window(sizeBytes: number): Window {
  const buf = Buffer.allocUnsafeSlow(sizeBytes);
  return { buf, view: viewOf(buf) };
}

export function viewOf(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.length);
}
