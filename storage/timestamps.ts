/** Looking records up by time (ListOffsets, KIP-33, KIP-734). */
import { baseOffset, baseTimestamp, lastOffset, leaderEpoch, maxTimestamp } from '../protocol/records/batch.ts';
import { hasLogAppendTime, recordCursor } from '../protocol/records/decode.ts';
import type { BatchCursor } from './batch-cursor.ts';
import type { Segment } from './segment.ts';

export interface OffsetAndTimestamp {
  timestampMs: number;
  offset: number;
  /** -1 when unknown. */
  leaderEpoch: number;
}

/** The first record at or above `fromOffset` with this timestamp or a later one, or null. */
export function findByTimestamp(
  segments: readonly Segment[],
  timestampMs: number,
  fromOffset: number,
): OffsetAndTimestamp | null {
  const segment = segments.find((candidate) => candidate.largestTimestampMs >= timestampMs);
  if (segment === undefined) return null;
  const start = Math.max(segment.timeIndex.lookup(timestampMs), fromOffset);
  const cursor = segment.cursor(segment.offsetIndex.lookup(start));
  for (; cursor.loadSound(); cursor.advance()) {
    if (maxTimestamp(cursor.buf, cursor.at) < timestampMs || lastOffset(cursor.buf, cursor.at) < fromOffset) continue;
    const found = firstRecord(cursor, (timestamp, offset) => timestamp >= timestampMs && offset >= fromOffset);
    if (found !== null) return found;
  }
  return null;
}

/** The first record that has the largest timestamp of the log, or null when no record has one. */
export function findMaxTimestamp(segments: readonly Segment[]): OffsetAndTimestamp | null {
  let newest = segments[0];
  for (const segment of segments) if (segment.maxTimestamp > newest.maxTimestamp) newest = segment;
  const largest = newest.maxTimestamp;
  if (largest < 0) return null;
  const cursor = newest.cursor(newest.offsetIndex.lookup(newest.maxTimestampOffset));
  for (; cursor.loadSound(); cursor.advance()) {
    if (maxTimestamp(cursor.buf, cursor.at) === largest)
      return firstRecord(cursor, (timestamp) => timestamp === largest);
  }
  return null;
}

/** The first record of the batch under the cursor that fits; timestamps in milliseconds. */
function firstRecord(
  cursor: BatchCursor,
  fits: (timestampMs: number, offset: number) => boolean,
): OffsetAndTimestamp | null {
  cursor.loadWhole();
  const { buf, at } = cursor;
  const epoch = leaderEpoch(buf, at);
  const appendTime = hasLogAppendTime(buf, at) ? maxTimestamp(buf, at) : null;
  const records = recordCursor(buf, at);
  while (records.next()) {
    const timestampMs = appendTime ?? baseTimestamp(buf, at) + records.timestampDelta;
    const offset = baseOffset(buf, at) + records.offsetDelta;
    if (fits(timestampMs, offset)) return { timestampMs, offset, leaderEpoch: epoch };
  }
  return null;
}
