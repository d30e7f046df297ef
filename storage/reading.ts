/** Reads of whole batches from a segment. */
import { BATCH_HEADER_BYTES, lastOffset, sizeBytes } from '../protocol/records/batch.ts';
import { LogError } from './log-error.ts';
import type { Segment } from './segment.ts';
import type { Tail } from './tail.ts';

export interface ReadOptions {
  /** Exclusive: no batch that reaches this offset is returned. */
  upTo: number;
  /** The first batch is returned even when it is larger than the limit. */
  minOneBatch: boolean;
  /** Makes the buffer for bytes from a file; by default a fresh one. Its content may be garbage. */
  allocate?: (sizeBytes: number) => Buffer;
}

export const NO_RECORDS: Buffer = Buffer.alloc(0);

/**
 * Whole batches of `segment` from byte `start` on, at most `maxBytes`, not beyond byte `end`, which is where a batch ends and offset
 * `endOffset` would follow. With `tail` from memory where possible.
 */
export function readBatches(
  segment: Segment,
  tail: Tail | null,
  start: number,
  end: number,
  endOffset: number,
  maxBytes: number,
  options: ReadOptions,
): Buffer {
  if (start >= end) return NO_RECORDS;
  if (end - start <= maxBytes) {
    segment.noteReadEnd(endOffset, end);
    return readBytes(segment, tail, start, end, options);
  }
  const bytes = readBytes(segment, tail, start, start + Math.max(0, maxBytes), options);
  const last = lastWholeBatch(bytes);
  if (last >= 0) {
    const whole = last + sizeBytes(bytes, last);
    segment.noteReadEnd(lastOffset(bytes, last) + 1, start + whole);
    return bytes.subarray(0, whole);
  }
  return options.minOneBatch ? readFirst(segment, tail, start, options) : NO_RECORDS;
}

function readFirst(segment: Segment, tail: Tail | null, start: number, options: ReadOptions): Buffer {
  const cursor = segment.cursor(start);
  if (!cursor.load()) throw new LogError('KAFKA_STORAGE_ERROR', `${segment.log.path} has no batch at byte ${start}`);
  const bytes = readBytes(segment, tail, start, start + sizeBytes(cursor.buf, cursor.at), options);
  segment.noteReadEnd(lastOffset(bytes, 0) + 1, start + bytes.length);
  return bytes;
}

function readBytes(segment: Segment, tail: Tail | null, start: number, end: number, options: ReadOptions): Buffer {
  const remembered = tail === null ? null : tail.slice(start, end);
  if (remembered !== null) return remembered;
  const size = end - start;
  const bytes = options.allocate === undefined ? Buffer.allocUnsafe(size) : options.allocate(size).subarray(0, size);
  const count = segment.log.handle.readSync(bytes, start);
  if (count < size) throw new LogError('KAFKA_STORAGE_ERROR', `${segment.log.path} ends at byte ${start + count}`);
  return bytes;
}

/** Where the last batch begins that is there as a whole; -1 when there is none. */
function lastWholeBatch(bytes: Buffer): number {
  let last = -1;
  let at = 0;
  while (bytes.length - at >= BATCH_HEADER_BYTES) {
    const size = sizeBytes(bytes, at);
    if (size < BATCH_HEADER_BYTES || size > bytes.length - at) break;
    last = at;
    at += size;
  }
  return last;
}
