/** Segments of a log make room for what a compaction has left of them. */
import type { LogState } from './log-state.ts';
import { CLEANED_SUFFIX, SWAP_SUFFIX } from './names.ts';
import type { Segment } from './segment.ts';

/**
 * Puts the .cleaned files of the first one's base offset, which are durable, in the place of `old`, which stand one after the other in the
 * log. A crash on the way leaves the old content or the new one (interrupted-swap.ts), and so does a failure: the log goes on with either.
 */
export async function replaceSegments(log: LogState, old: readonly Segment[]): Promise<void> {
  log.checkUsable();
  const cleaned = openForSwap(log, old);
  log.segments.replace(old, cleaned);
  const deleted = old.flatMap((segment) => segment.markDeleted());
  for (const { baseOffset } of old) if (baseOffset !== cleaned.baseOffset) log.producers.removeSnapshot(baseOffset);
  cleaned.changeSuffix(SWAP_SUFFIX, '');
  const { disk, deletions } = log.resources;
  await disk.syncDirAsync(log.dir);
  const dueMs = log.nowMs() + log.config.fileDeleteDelayMs;
  for (const path of deleted) deletions.add(path, dueMs);
}

/** The new segment, with files that a start would put in place. As old as the newest of those that it is made of. */
function openForSwap(log: LogState, old: readonly Segment[]): Segment {
  const newest = old[old.length - 1];
  const cleaned = log.segments.openCleaned(old[0].baseOffset, newest.createdMs);
  try {
    cleaned.log.handle.setModifiedMs(newest.log.handle.modifiedMs());
    cleaned.changeSuffix(CLEANED_SUFFIX, SWAP_SUFFIX);
  } catch (cause) {
    cleaned.remove();
    throw cause;
  }
  return cleaned;
}
