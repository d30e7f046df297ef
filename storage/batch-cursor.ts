/** Walks the batches of a .log file, reading it through a window. */
import { crc32 } from '@node-rs/crc32';
import { BATCH_HEADER_BYTES, MAGIC_V2 } from '../protocol/records/batch.ts';
import { magicIn, sizeBytesIn, viewOf } from './batch-header.ts';
import type { PooledFile } from './file-pool.ts';
import { damaged, LogError } from './log-error.ts';

/** Big enough that a scan between two index entries is one read, small enough to cost little when only a header is wanted. */
const HEADER_WINDOW_BYTES = 8192;
/** Bytes that any format of Kafka's batches has before its magic byte, and that byte. */
const UP_TO_MAGIC_BYTES = 17;
const MIN_OLD_BYTES = 26;
/** From this size of batches on, reading each header on its own costs less than reading what lies between them. */
const SPARSE_BATCH_BYTES = 8192;
const NO_BYTES = Buffer.alloc(0);
const NO_VIEW = viewOf(NO_BYTES);

export class BatchCursor {
  readonly #file: PooledFile;
  readonly #end: number;
  readonly #windowBytes: number;
  /** Position in the file of the batch that the cursor stands on. */
  position: number;
  /** The bytes around the batch; its first byte is at `at`. Good until the cursor moves. */
  buf: Buffer;
  at = 0;
  /** Of `buf`. */
  view: DataView;
  /** Called before `buf` gets other bytes. */
  beforeRead: (() => void) | null = null;
  #windowStart = 0;
  #windowEnd = 0;
  /** Only headers are wanted. */
  #headersOnly = false;
  /** Of the batch that was loaded last, by which the next one is judged. */
  #batchBytes = 0;

  /**
   * Walks from `position`, which has to be the start of a batch or `end`, up to `end` (bytes). Reads as much at a time as `window` holds,
   * and into it, where there is one: nobody else may use it meanwhile.
   */
  constructor(file: PooledFile, position: number, end: number, window: Buffer | null = null) {
    this.#file = file;
    this.#end = end;
    this.#windowBytes = window?.length ?? HEADER_WINDOW_BYTES;
    this.buf = window ?? NO_BYTES;
    this.view = window === null ? NO_VIEW : viewOf(window);
    this.position = position;
  }

  /** As the constructor; where batches are large, what lies between their headers is not read before `loadWhole`. */
  static ofHeaders(file: PooledFile, position: number, end: number, window: Buffer): BatchCursor {
    const cursor = new BatchCursor(file, position, end, window);
    cursor.#headersOnly = true;
    cursor.#batchBytes = SPARSE_BATCH_BYTES;
    return cursor;
  }

  get path(): string {
    return this.#file.path;
  }

  /** Loads the header of the batch at `position`; false at the end, and where no whole batch follows. */
  load(): boolean {
    if (this.#end - this.position >= BATCH_HEADER_BYTES) {
      this.#ensure(BATCH_HEADER_BYTES);
      const size = sizeBytesIn(this.view, this.at);
      this.#batchBytes = size;
      const isWhole = size >= BATCH_HEADER_BYTES && this.position + size <= this.#end;
      if (isWhole && magicIn(this.view, this.at) === MAGIC_V2) return true;
    }
    this.#refuseOldFormat();
    return false;
  }

  /** As `load`, where all up to the end has to be whole batches. Throws LogError where it is not. */
  loadSound(): boolean {
    if (this.load()) return true;
    if (this.position >= this.#end) return false;
    throw damaged(this.#file.path, this.position, 'no whole record batch');
  }

  /** After `load`: brings the whole batch into `buf`. */
  loadWhole(): void {
    this.#ensure(this.#batchBytes);
  }

  /** After `load`: to the next batch, whatever is in `buf` by now. */
  advance(): void {
    this.position += this.#batchBytes;
  }

  #ensure(bytes: number): void {
    if (this.position < this.#windowStart || this.position + bytes > this.#windowEnd) this.#read(bytes);
    this.at = this.position - this.#windowStart;
  }

  #read(bytes: number): void {
    this.beforeRead?.();
    const isSparse = this.#headersOnly && this.#batchBytes >= SPARSE_BATCH_BYTES;
    const wanted = Math.min(isSparse ? bytes : Math.max(bytes, this.#windowBytes), this.#end - this.position);
    if (this.buf.length < wanted) {
      this.buf = Buffer.allocUnsafeSlow(wanted);
      this.view = viewOf(this.buf);
    }
    const count = this.#file.handle.readSync(this.buf.subarray(0, wanted), this.position);
    this.#windowStart = this.position;
    this.#windowEnd = this.position + count;
    if (count < bytes) throw damaged(this.#file.path, this.position + count, `the file ends before byte ${this.#end}`);
  }

  /**
   * Records of formats v0 and v1 (before Kafka 0.11) are whole and valid, yet not readable here: taking them for garbage would cut
   * them off.
   */
  #refuseOldFormat(): void {
    if (this.#end - this.position < UP_TO_MAGIC_BYTES) return;
    this.#ensure(UP_TO_MAGIC_BYTES);
    const size = sizeBytesIn(this.view, this.at);
    const format = magicIn(this.view, this.at);
    if ((format !== 0 && format !== 1) || size < MIN_OLD_BYTES || this.position + size > this.#end) return;
    this.#ensure(size);
    const covered = this.buf.subarray(this.at + UP_TO_MAGIC_BYTES - 1, this.at + size);
    if (crc32(covered) !== this.buf.readUInt32BE(this.at + 12)) return;
    throw new LogError(
      'KAFKA_STORAGE_ERROR',
      `${this.#file.path} has records in format v${format} at byte ${this.position}`,
    );
  }
}
