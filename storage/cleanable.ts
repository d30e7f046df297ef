/** What of a log there is to compact, and how urgent it is (Kafka: LogCleanerManager, LogToClean). */
import type { Log } from './log.ts';
import type { Segment } from './segment.ts';

/** A compacted log, and what its partition says of it. Read only where it matters: the stable offset may have to be found out first. */
export interface Candidate {
  readonly log: Log;
  /** Not above the high watermark. */
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}

export interface CleanableSection {
  /** All below has been compacted before. */
  readonly firstDirtyOffset: number;
  /** Where a segment begins; from there on nothing may be compacted yet. */
  readonly firstUncleanableOffset: number;
  /** All up to the first uncleanable offset: what a compaction reads. */
  readonly totalBytes: number;
  /** The part of these bytes that is dirty, 0 to 1. */
  readonly dirtyRatio: number;
  /** A record has waited for longer than max.compaction.lag.ms. */
  readonly isOverdue: boolean;
}

/** Null where there is nothing to compact. */
export function cleanableSection(candidate: Candidate, nowMs: number): CleanableSection | null {
  const { log } = candidate;
  const { segments } = log;
  // Most logs are that small, and nothing is read of them.
  if (segments.length < 2) return null;
  const firstDirtyOffset = firstDirty(log);
  const firstUncleanableOffset = firstUncleanable(log, firstDirtyOffset, candidate.lastStableOffset, nowMs);
  const dirty = inactiveFrom(segments, firstDirtyOffset).filter(
    (segment) => segment.baseOffset < firstUncleanableOffset,
  );
  const dirtyBytes = sizeOf(dirty);
  if (dirtyBytes === 0 || firstDirtyOffset >= firstUncleanableOffset) return null;
  const totalBytes = dirtyBytes + sizeOf(segments.filter((segment) => segment.baseOffset < firstDirtyOffset));
  return {
    firstDirtyOffset,
    firstUncleanableOffset,
    totalBytes,
    dirtyRatio: dirtyBytes / totalBytes,
    isOverdue: isOverdue(log, firstDirtyOffset, nowMs),
  };
}

/** Whether it is time: enough is dirty, or something has waited for too long. */
export function isDue(section: CleanableSection, log: Log): boolean {
  return section.isOverdue || section.dirtyRatio > log.config.minCleanableDirtyRatio;
}

/** What the checkpoint says, unless the log has lost that offset at either end. */
function firstDirty({ cleanedUpTo, logStartOffset, logEndOffset }: Log): number {
  if (cleanedUpTo === null || cleanedUpTo < logStartOffset || cleanedUpTo > logEndOffset) return logStartOffset;
  return cleanedUpTo;
}

/**
 * The start of the first segment that is active, or reaches beyond the last stable offset, or has a record younger than
 * min.compaction.lag.ms.
 */
function firstUncleanable(log: Log, firstDirtyOffset: number, lastStableOffset: number, nowMs: number): number {
  const { segments } = log;
  let offset = Math.min(lastStableOffset, segments[segments.length - 1].baseOffset);
  const { minCompactionLagMs } = log.config;
  if (minCompactionLagMs > 0) {
    const isYoung = (segment: Segment): boolean => segment.largestTimestampMs > nowMs - minCompactionLagMs;
    const young = inactiveFrom(segments, firstDirtyOffset).find(isYoung);
    if (young !== undefined) offset = Math.min(offset, young.baseOffset);
  }
  offset = Math.max(offset, firstDirtyOffset);
  return segments[indexOfHolder(segments, offset)].baseOffset;
}

function isOverdue(log: Log, firstDirtyOffset: number, nowMs: number): boolean {
  const untilMs = nowMs - log.config.maxCompactionLagMs;
  if (untilMs <= 0) return false;
  return inactiveFrom(log.segments, firstDirtyOffset).some(({ firstBatchTimestamp }) => {
    return firstBatchTimestamp > 0 && firstBatchTimestamp < untilMs;
  });
}

/** The segments from the one that holds `offset` on, the active one aside. */
function inactiveFrom(segments: readonly Segment[], offset: number): readonly Segment[] {
  return segments.slice(indexOfHolder(segments, offset), -1);
}

function indexOfHolder(segments: readonly Segment[], offset: number): number {
  return Math.max(
    0,
    segments.findLastIndex((segment) => segment.baseOffset <= offset),
  );
}

function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
}
