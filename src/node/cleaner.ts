import { type Disk, LogCleaner, type StartWorker, type StorageLogger } from '../../storage/index.ts';
import type { Clock, Random } from '../env.ts';
import type { Partitions } from '../partition/partitions.ts';
import type { LiveConfig } from './live-config.ts';
import type { LogDirectories } from './log-directories.ts';

export interface LogCleanerParts {
  readonly disk: Disk;
  readonly config: LiveConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logs: LogDirectories;
  readonly partitions: Partitions;
  readonly logger: StorageLogger;
  /** For compactions that are not small; null: all are done in this thread, in slices. */
  readonly startThread: StartWorker | null;
}

const TWO_32 = 0x1_0000_0000;

/** The cleaner of this node's compacted logs. */
export function createLogCleaner({
  disk,
  config,
  clock,
  random,
  logs,
  partitions,
  logger,
  startThread,
}: LogCleanerParts): LogCleaner {
  const word = (): number => random.int(TWO_32) | 0;
  return new LogCleaner({
    disk,
    clock,
    logger,
    startThread,
    secret: [word(), word(), word(), word()],
    ports: {
      monotonicMs: () => clock.monotonicMs(),
      yieldLoop: () => new Promise((resolve) => setImmediate(resolve)),
      sleep: (delayMs) => new Promise((resolve) => clock.after(delayMs, () => resolve())),
    },
    config() {
      const current = config.current();
      return {
        dedupeBufferBytes: current.get('log.cleaner.dedupe.buffer.size'),
        dedupeBufferLoadFactor: current.get('log.cleaner.io.buffer.load.factor'),
        ioBufferBytes: current.get('log.cleaner.io.buffer.size'),
        maxBytesPerSecond: current.get('log.cleaner.io.max.bytes.per.second'),
      };
    },
    *candidates() {
      for (const partition of partitions.all()) {
        if (!partition.isOffline && partition.log.config.cleanupPolicy.compact) yield partition;
      }
    },
    checkpointRecoveryPoint: (log) => logs.checkpointRecoveryPoint(log),
    onCleaned: (log) => logs.checkpointCleaner(log),
    onDiskError: (log, error) => logs.suspectHomeOf(log, error),
  });
}
