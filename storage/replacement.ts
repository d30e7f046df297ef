/** Segments of a log make room for what a compaction has left of them. */
import type { LogState } from './log-state.ts';
import { CLEANED_SUFFIX, SWAP_SUFFIX } from './names.ts';
import type { Segment } from './segment.ts';

/**
 * Puts `cleaned`, which is durable, in the place of `old`, which stand one after the other in the log. A crash on the way leaves the old
 * content or the new one (interrupted-swap.ts), and so does a failure: the log goes on with either.
 */
export async function replaceSegments(log: LogState, old: readonly Segment[], cleaned: Segment): Promise<void> {
  log.checkUsable();
  cleaned.changeSuffix(CLEANED_SUFFIX, SWAP_SUFFIX);
  log.segments.replace(old, cleaned);
  const deleted = old.flatMap((segment) => segment.markDeleted());
  for (const { baseOffset } of old) if (baseOffset !== cleaned.baseOffset) log.producers.removeSnapshot(baseOffset);
  cleaned.changeSuffix(SWAP_SUFFIX, '');
  const { disk, deletions } = log.resources;
  await disk.syncDirAsync(log.dir);
  const dueMs = log.nowMs() + log.config.fileDeleteDelayMs;
  for (const path of deleted) deletions.add(path, dueMs);
}
