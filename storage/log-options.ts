/** What a log is opened with, and what an append gives. */
import type { CheckedFiles } from './checked-files.ts';
import type { Disk, DiskError } from './disk.ts';
import type { LogConfig } from './log-config.ts';
import { LogError } from './log-error.ts';
import type { StorageLogger } from './logger.ts';
import { readTopicId, writeTopicId } from './partition-metadata.ts';
import type { LogResources } from './resources.ts';

export interface StorageClock {
  /** Wall-clock time in milliseconds since the Unix epoch. */
  nowMs(): number;
}

/** What is known of a log before it is opened. */
export interface LogHistory {
  /** From recovery-point-offset-checkpoint and log-start-offset-checkpoint; 0 when they say nothing. */
  recoveryPoint?: number;
  logStartOffset?: number;
  /** From cleaner-offset-checkpoint; by default it says nothing. */
  cleanedUpTo?: number | null;
  /** Whether the last shutdown was clean (.kafka_cleanshutdown): then nothing is scanned. */
  clean: boolean;
  /** Otherwise: whether what is in the files consists of whole writes, as a killed process leaves them (DiskLock); by default not. */
  vouched?: boolean;
  /** Otherwise: all segments are checked, not only from the recovery point on, and no offset may be left out; by default not. */
  checkAll?: boolean;
  /** Otherwise: nothing but a torn tail is cut, wherever the recovery point is; by default all that lies above that. */
  cutsTailOnly?: boolean;
  /** Otherwise: segments that were checked already, and have not changed since; by default none. */
  checkedFiles?: CheckedFiles;
  /** A sync has failed in this process, so that the page cache may show what will never reach the disk: it is written once more. */
  rewrite?: boolean;
}

export interface LogOptions extends LogHistory {
  disk: Disk;
  /** What this log shares with others; on `disk`. By default it shares nothing. */
  resources?: LogResources;
  /** The folder of the partition; made when it is not there. */
  dir: string;
  topic: string;
  partition: number;
  /** As in partition.metadata, which is written when it is missing. Null: whatever the file says. */
  topicId: string | null;
  config: LogConfig;
  clock: StorageClock;
  logger?: StorageLogger;
  /** Told of each error of the disk, which may be the file's alone or the whole directory's. */
  onDiskError?: (error: DiskError) => void;
  /** Told when the recovery point has moved up. */
  onFlushed?: () => void;
  /** Called before the first change to a log that was opened after a clean shutdown: a crash from then on must be seen as one. */
  beforeFirstChange?: () => void;
  /** Called where the recovery point has to be in its checkpoint before anything else happens, as before a truncation below it. */
  recoveryPointChanged?: () => void;
}

export interface AppendResult {
  firstOffset: number;
  lastOffset: number;
  /** -1 with CreateTime. A duplicate has the timestamp of its batch, as in Kafka. */
  logAppendTimeMs: number;
  logStartOffset: number;
  /** The batch was in the log already; the offsets are those of the first time. */
  duplicate: boolean;
}

/** The id of the log's topic, from partition.metadata or for it. Throws LogError where the two differ. */
export function topicIdOf(options: LogOptions, hasFile: boolean): string | null {
  const known = hasFile ? readTopicId(options.disk, options.dir) : null;
  if (known !== null && options.topicId !== null && known !== options.topicId) {
    throw new LogError('KAFKA_STORAGE_ERROR', `${options.dir} belongs to topic id ${known}, not ${options.topicId}`);
  }
  if (known === null && options.topicId !== null) writeTopicId(options.disk, options.dir, options.topicId);
  return known ?? options.topicId;
}
