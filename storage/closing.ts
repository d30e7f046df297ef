/** The ends of a log in this process. */
import { replaceFile } from './checkpoints.ts';
import type { LogState } from './log-state.ts';

/** Closes in an orderly way, so that the next start need not scan. Nothing is made durable. */
export function close(log: LogState): void {
  if (log.isClosed) return;
  settle(log);
  const epochs = log.takeEpochsChange();
  if (epochs !== null) log.resources.disk.writeFile(epochs.path, epochs.text, { durable: false });
  log.durability.trustPageCache(log.logEndOffset);
  log.segments.close();
}

/** As `close`, and what the log consists of is on disk for good. */
export async function closeDurably(log: LogState): Promise<void> {
  if (log.isClosed) return;
  const written = settle(log);
  await log.durability.flush(log.logEndOffset);
  const epochs = log.takeEpochsChange();
  if (epochs !== null) {
    await replaceFile(log.resources.disk, epochs.path, epochs.text);
    written.push(epochs.path);
  }
  await log.durability.syncFiles(written);
  log.segments.close();
}

/** Lets go of the files and leaves them as they are. */
export function abandon(log: LogState): void {
  log.isClosed = true;
  log.durability.abandoned();
  log.segments.close();
}

/** Writes what memory holds but the leader epochs; gives the paths of the files that were written. */
function settle(log: LogState): string[] {
  log.checkUsable();
  log.isClosed = true;
  const written: string[] = [];
  const snapshot = log.producers.close();
  if (snapshot !== null) written.push(snapshot);
  for (const segment of log.segments.all) {
    // Also an old one, whose indexes were made anew when somebody read there.
    if (segment.finish()) written.push(...segment.durableFiles(true).map((file) => file.path));
  }
  log.durability.settled();
  return written;
}
