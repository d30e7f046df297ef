import type { Log } from './log.ts';
import type { StorageLogger } from './logger.ts';

/** Logs that are flushed at a time; libuv's pool has four threads. */
const PARALLEL_CLOSES = 8;

/** Closes logs, `durable` or not; one that cannot be is told and abandoned. Gives the number of those. */
export async function closeLogs(logs: readonly Log[], durable: boolean, logger: StorageLogger): Promise<number> {
  const waiting = [...logs];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let log = waiting.pop(); log !== undefined; log = waiting.pop()) {
      try {
        if (log.failure !== null) throw log.failure;
        if (durable) await log.closeDurably();
        else log.close();
      } catch (error) {
        failed += 1;
        log.abandon();
        logger.error({ dir: log.dir, err: error }, 'the log could not be closed');
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_CLOSES }, work));
  return failed;
}
