/** A log loses records at its end: a follower has some that the leader does not, or begins anew where the leader does. */
import type { LogState } from './log-state.ts';

/** Drops the batch that holds `offset` and all after it. False when the log ends there or before. */
export function truncateTo(log: LogState, offset: number): boolean {
  log.checkUsable();
  const { epochs } = log;
  if (offset >= log.logEndOffset) {
    epochs.truncateFromEnd(log.logEndOffset);
    return false;
  }
  if (offset < log.segments.first.baseOffset) truncateFullyAndStartAt(log, offset, offset);
  else log.change('truncation', () => cut(log, offset));
  return true;
}

function cut(log: LogState, offset: number): void {
  const { segments, epochs } = log;
  const knewProducers = log.producers.state.entries.size > 0;
  const nowMs = log.nowMs();
  willEnd(log, offset);
  // The other way round, a crash in between would bring batches back that lie behind a gap.
  log.discard(segments.removeAbove(offset), nowMs);
  segments.truncateActive(offset, nowMs);
  // The batch that held the offset began before it: only a name can say that the log goes on at it.
  const isGap = segments.active.nextOffset() < offset;
  if (isGap) {
    segments.active.finish();
    // Nobody else looks at it again: were the cut undone, what it holds would overlap with what follows.
    log.durability.segmentFinished(segments.active, offset);
    log.startSegment(offset);
  }
  ended(log, offset);
  epochs.truncateFromEnd(offset);
  log.logStartOffset = Math.min(log.logStartOffset, offset);
  log.producers.truncated(knewProducers);
  if (isGap) keepGap(log);
}

/** Empties the log, which goes on at `offset`. */
export function truncateFullyAndStartAt(log: LogState, offset: number, logStartOffset: number): void {
  log.checkUsable();
  log.change('truncation', () => {
    willEnd(log, 0);
    log.epochs.clear();
    log.producers.clear();
    log.discard(log.segments.removeAll(), log.nowMs());
    log.startSegment(offset);
    ended(log, offset);
    log.logStartOffset = logStartOffset;
  });
}

/** The checkpointed recovery point must not be above what a crash from now on leaves, nor what has been compacted. */
function willEnd(log: LogState, offset: number): void {
  const { durability, recoveryPointChanged } = log;
  const { recoveryPoint } = durability;
  if (log.cleanedUpTo !== null) log.cleanedUpTo = Math.min(log.cleanedUpTo, offset);
  durability.truncated(offset);
  if (offset >= recoveryPoint) return;
  try {
    recoveryPointChanged();
  } catch (cause) {
    durability.notTruncated(recoveryPoint);
    throw cause;
  }
}

function ended(log: LogState, offset: number): void {
  log.logEndOffset = offset;
  const dirtyFrom = log.segments.active.baseOffset;
  if (log.cleanedUpTo !== null) log.cleanedUpTo = Math.min(log.cleanedUpTo, dirtyFrom);
  log.durability.truncated(offset);
}

/** Only below the recovery point is a gap no sign of a loss. */
function keepGap(log: LogState): void {
  log.producers.writeSnapshot(log.logEndOffset, false);
  log.durability.flushSync(log.logEndOffset);
  log.recoveryPointChanged();
}
