/** A log loses records at its beginning: by DeleteRecords or by its limits of age and size. */
import { LogError } from './log-error.ts';
import type { LogState } from './log-state.ts';
import { countDeletable } from './retention.ts';

/** Records below `offset` are gone for readers; their files stay. False when they were gone already. */
export function advanceLogStartOffset(log: LogState, offset: number): boolean {
  if (offset > log.logEndOffset) {
    const text = `log start ${offset} above the log end ${log.logEndOffset} of ${log.dir}`;
    throw new LogError('OFFSET_OUT_OF_RANGE', text);
  }
  if (offset <= log.logStartOffset) return false;
  const { epochs } = log;
  log.logStartOffset = offset;
  epochs.truncateFromStart(offset);
  return true;
}

/** Removes segments by retention.ms, retention.bytes and the log start; gives their number. */
export function deleteOldSegments(log: LogState, nowMs: number, highWatermark: number): number {
  const { segments, logStartOffset, logEndOffset } = log;
  const view = { segments: segments.all, logStartOffset, logEndOffset, highWatermark };
  const count = countDeletable(view, log.config, nowMs);
  if (count === 0) return 0;
  log.checkUsable();
  if (count === segments.all.length) log.roll(logEndOffset);
  // Mostly the flush that the roll began has done that; one that was not waited for must not come after the deletion.
  log.durability.keepProducersBelow(segments.all[count].baseOffset);
  const deleted = segments.removeFirst(count);
  advanceLogStartOffset(log, segments.first.baseOffset);
  log.logger.info({ dir: log.dir, segments: count, logStartOffset: log.logStartOffset }, 'old segments deleted');
  log.change('deletion', () => log.discard(deleted, nowMs));
  return count;
}
