/**
 * Reads of whole batches from a segment: first where they stand (`BatchRange`, found by the index and the batches' headers), then their
 * bytes, at once or when they are sent (`FileSlice`).
 */
import type { DeferredBytes } from '../protocol/deferred-bytes.ts';
import { libc } from './libc.ts';
import { LogError } from './log-error.ts';
import { isProbablyCached } from './page-cache.ts';
import type { Segment } from './segment.ts';
import type { Tail } from './tail.ts';

export interface ReadOptions {
  /** Exclusive: no batch that reaches this offset is returned. */
  upTo: number;
  /** The first batch is returned even when it is larger than the limit. */
  minOneBatch: boolean;
}

/** Whole batches: bytes `start` to `end` (exclusive) of a segment. */
export interface BatchRange {
  readonly segment: Segment;
  /** Of the segment, when memory may hold the bytes. */
  readonly tail: Tail | null;
  readonly start: number;
  readonly end: number;
  /** Above the offsets of all batches in it. */
  readonly endOffset: number;
}

export const NO_RECORDS: Buffer = Buffer.alloc(0);
/** Smaller ranges are read at once: putting them off would cost more than their memory. */
const DEFER_FROM_BYTES = 32 * 1024;

/**
 * The batches of `segment` from byte `start` on, at most `maxBytes`, not beyond byte `end`, which is where a batch ends and offset
 * `endOffset` would follow. Null where not one fits.
 */
export function findRange(
  segment: Segment,
  tail: Tail | null,
  start: number,
  end: number,
  endOffset: number,
  maxBytes: number,
  minOneBatch: boolean,
): BatchRange | null {
  if (start >= end) return null;
  if (end - start <= maxBytes) {
    segment.noteReadEnd(endOffset, end);
    return { segment, tail, start, end, endOffset };
  }
  const fitting = segment.endOfBatches(start, start + Math.max(0, maxBytes), minOneBatch);
  if (fitting.position === start) return null;
  segment.noteReadEnd(fitting.nextOffset, fitting.position);
  return { segment, tail, start, end: fitting.position, endOffset: fitting.nextOffset };
}

/** The bytes of the range, now; a view of memory that the log keeps, or fresh. */
export function readRange(range: BatchRange): Buffer {
  const { start, end } = range;
  const remembered = range.tail?.slice(start, end) ?? null;
  if (remembered !== null) return remembered;
  const bytes = Buffer.allocUnsafe(end - start);
  fill(range.segment, bytes, start);
  return bytes;
}

/** The bytes of the range, or, where they are many and in the file, what fetches them when they are sent. */
export function sliceRange(range: BatchRange): Buffer | FileSlice {
  const { segment, tail, start, end } = range;
  if (end - start < DEFER_FROM_BYTES) return readRange(range);
  return tail?.slice(start, end) ?? new FileSlice(segment, start, end - start);
}

/**
 * Bytes of a .log file that are read when they are sent. The file may be renamed meanwhile, not removed: a segment that is deleted stays
 * for file.delete.delay.ms.
 */
export class FileSlice implements DeferredBytes {
  readonly length: number;
  readonly #segment: Segment;
  readonly #start: number;

  constructor(segment: Segment, start: number, length: number) {
    this.#segment = segment;
    this.#start = start;
    this.length = length;
  }

  /** Throws LogError and DiskError when the bytes are gone. */
  copyTo(target: Buffer, from: number): void {
    fill(this.#segment, target, this.#start + from);
  }

  load(from: number, sizeBytes: number): Promise<void> | null {
    const { log, isDeleted } = this.#segment;
    return isDeleted || !log.exists ? null : loadFromDisk(this.#segment, this.#start + from, sizeBytes);
  }

  moveTo(socketDescriptor: number, from: number, sizeBytes: number): number | null {
    const { log, isDeleted } = this.#segment;
    const system = libc();
    if (system === null || isDeleted || !log.exists) return null;
    const { descriptor } = log.handle;
    if (descriptor === undefined) return null;
    return Math.max(0, system.sendfile(socketDescriptor, descriptor, this.#start + from, sizeBytes));
  }
}

/** Null where the bytes are in the page cache; their ends stand for all of them. */
function loadFromDisk({ log }: Segment, position: number, sizeBytes: number): Promise<void> | null {
  const { handle } = log;
  if (isProbablyCached(handle, position, sizeBytes)) return null;
  return handle.read(Buffer.allocUnsafe(sizeBytes), position).then(() => {});
}

function fill(segment: Segment, target: Buffer, position: number): void {
  const { log } = segment;
  // opening it would make it anew
  if (!log.exists) throw new LogError('KAFKA_STORAGE_ERROR', `${log.path} has been removed`);
  const count = log.handle.readSync(target, position);
  // an open file would keep its space after the deletion
  if (segment.isDeleted) log.close();
  if (count < target.length) throw new LogError('KAFKA_STORAGE_ERROR', `${log.path} ends at byte ${position + count}`);
}
