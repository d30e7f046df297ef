/** Which segments a log's age and size limits let go (UnifiedLog.deleteOldSegments). */
import type { LogConfig } from './log-config.ts';
import type { Segment } from './segment.ts';

export interface RetentionView {
  segments: readonly Segment[];
  logStartOffset: number;
  logEndOffset: number;
  highWatermark: number;
}

/**
 * How many of the first segments may go, by any of: all their records below the log start; more bytes than retention.bytes without
 * them; newest record older than retention.ms. Without the delete policy only the first counts. Nothing at or above the
 * high watermark goes, and never an empty active segment.
 */
export function countDeletable(view: RetentionView, config: LogConfig, nowMs: number): number {
  let count = countWhile(view, 0, (_segment, next) => next !== undefined && next.baseOffset <= view.logStartOffset);
  if (!config.cleanupPolicy.delete) return count;
  count = countWhile(view, count, bySize(view.segments.slice(count), config.retentionBytes));
  if (config.retentionMs < 0) return count;
  return countWhile(view, count, (segment) => nowMs - segment.largestTimestampMs > config.retentionMs);
}

type Predicate = (segment: Segment, next: Segment | undefined) => boolean;

function bySize(segments: readonly Segment[], retentionBytes: number): Predicate {
  if (retentionBytes < 0) return () => false;
  let excess = -retentionBytes;
  for (const segment of segments) excess += segment.sizeBytes;
  return (segment) => {
    if (excess - segment.sizeBytes < 0) return false;
    excess -= segment.sizeBytes;
    return true;
  };
}

/** From segment `from` on, as long as `mayGo` says so and the bounds allow it. */
function countWhile(view: RetentionView, from: number, mayGo: Predicate): number {
  const { segments } = view;
  let count = from;
  while (count < segments.length) {
    const segment = segments[count];
    const next: Segment | undefined = segments[count + 1];
    const end = next === undefined ? view.logEndOffset : next.baseOffset;
    const isEmptyAndActive = next === undefined && segment.sizeBytes === 0;
    if (view.highWatermark < end || isEmptyAndActive || !mayGo(segment, next)) break;
    count += 1;
  }
  return count;
}
