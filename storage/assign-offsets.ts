/** Offsets in batches that are to be appended: set by a leader, checked by a follower. */
import { crc32c } from '@node-rs/crc32';
import {
  attributes,
  BATCH_HEADER_BYTES,
  baseOffset,
  LOG_OVERHEAD_BYTES,
  lastOffset,
  lastOffsetDelta,
  MAGIC_V2,
  magic,
  setBaseOffset,
  setInt64,
  setLeaderEpoch,
  sizeBytes,
  TIMESTAMP_TYPE_BIT,
} from '../protocol/records/batch.ts';
import { LogError } from './log-error.ts';

const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const MAX_TIMESTAMP_AT = 35;

/**
 * Sets base offsets, from `firstOffset` on, and the leader epoch; with `logAppendTimeMs` other than -1 that time too, which needs a new
 * CRC. Gives the offset after the last record.
 */
export function assignOffsets(
  batches: Buffer,
  firstOffset: number,
  leaderEpoch: number,
  logAppendTimeMs: number,
): number {
  let next = firstOffset;
  let at = 0;
  do {
    checkFrame(batches, at);
    setBaseOffset(batches, at, next);
    setLeaderEpoch(batches, at, leaderEpoch);
    if (logAppendTimeMs >= 0) setAppendTime(batches, at, logAppendTimeMs);
    next += lastOffsetDelta(batches, at) + 1;
    at += sizeBytes(batches, at);
  } while (at < batches.length);
  return next;
}

/** The offset after the last of batches that come with their offsets, which have to rise from `fromOffset` on. */
export function checkOffsets(batches: Buffer, fromOffset: number): number {
  let next = fromOffset;
  let at = 0;
  do {
    checkFrame(batches, at);
    const base = baseOffset(batches, at);
    if (base < next)
      throw new LogError('UNEXPECTED_APPEND_OFFSET', `offset ${base}, but ${next} or above was expected`);
    next = lastOffset(batches, at) + 1;
    at += sizeBytes(batches, at);
  } while (at < batches.length);
  return next;
}

/** The caller has checked the batches; this only makes sure that a mistake of his cannot tear the log. */
function checkFrame(batches: Buffer, at: number): void {
  const left = batches.length - at;
  if (left >= BATCH_HEADER_BYTES && magic(batches, at) === MAGIC_V2) {
    const size = batches.readInt32BE(at + 8) + LOG_OVERHEAD_BYTES;
    if (size >= BATCH_HEADER_BYTES && size <= left && lastOffsetDelta(batches, at) >= 0) return;
  }
  throw new LogError('CORRUPT_MESSAGE', `no whole record batch at byte ${at} of ${batches.length}`);
}

function setAppendTime(batches: Buffer, at: number, timeMs: number): void {
  batches.writeInt16BE(attributes(batches, at) | TIMESTAMP_TYPE_BIT, at + ATTRIBUTES_AT);
  setInt64(batches, at + MAX_TIMESTAMP_AT, timeMs);
  batches.writeUInt32BE(crc32c(batches.subarray(at + ATTRIBUTES_AT, at + sizeBytes(batches, at))), at + CRC_AT);
}
