import { DiskError } from '../../storage/index.ts';
import type { Clock } from '../env.ts';
import type { Partition } from '../partition/partition.ts';
import type { Partitions } from '../partition/partitions.ts';
import type { LogDirectories } from './log-directories.ts';

/** Retention looks at this many partitions before it lets requests through. */
const PARTITIONS_A_TURN = 200;

export interface RetentionOptions {
  readonly clock: Clock;
  readonly partitions: Pick<Partitions, 'all'>;
  readonly logs: Pick<LogDirectories, 'suspectHomeOf'>;
}

/** Deletes old segments of all logs; of compacted ones the cleaner does it, as in Kafka. */
export class Retention {
  private readonly options: RetentionOptions;
  /** Why the retention of a partition fails, as it was told last: it fails in every turn, and to say so once is enough. */
  private readonly told = new WeakMap<Partition, string>();

  constructor(options: RetentionOptions) {
    this.options = options;
  }

  /** A turn for each log. Rejects at the end with AggregateError where some have failed, unless that was told before. */
  async run(): Promise<void> {
    const { clock, partitions } = this.options;
    const failures: Error[] = [];
    let looked = 0;
    for (const partition of [...partitions.all()]) {
      if (!hasRetention(partition)) continue;
      const failure = this.deleteOldSegments(partition);
      if (failure !== null) failures.push(failure);
      if (++looked % PARTITIONS_A_TURN === 0) await new Promise((resolve) => clock.after(0, () => resolve(undefined)));
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
  }

  /** A failure that has not been told yet; null otherwise. */
  private deleteOldSegments(partition: Partition): Error | null {
    const { log, highWatermark } = partition;
    try {
      log.deleteOldSegments(this.options.clock.nowMs(), highWatermark);
      this.told.delete(partition);
      return null;
    } catch (error) {
      if (error instanceof DiskError) this.options.logs.suspectHomeOf(log, error);
      return this.newFailure(partition, error);
    }
  }

  private newFailure(partition: Partition, cause: unknown): Error | null {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (this.told.get(partition) === reason) return null;
    this.told.set(partition, reason);
    return new Error(`${partition.topic}-${partition.index}: ${reason}`, { cause });
  }
}

/** Not one whose log is closed, or has failed and waits to be opened anew. */
function hasRetention({ log, isOffline, isDeleted }: Partition): boolean {
  return !isOffline && !isDeleted && log.failure === null && !log.config.cleanupPolicy.compact;
}
