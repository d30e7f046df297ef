/**
 * A data directory: a folder for each partition, and the files that hold for all of them (checkpoints, clean shutdown marker, lock).
 *
 *   DIR/.lock                                held while the directory is open
 *   DIR/.kafka_cleanshutdown                 between an orderly end and the next start
 *   DIR/recovery-point-offset-checkpoint     up to where each log is on disk for good
 *   DIR/log-start-offset-checkpoint          where logs begin that begin within their first segment
 *   DIR/replication-offset-checkpoint        high watermarks
 *   DIR/cleaner-offset-checkpoint            up to where compacted logs have been compacted
 *   DIR/TOPIC-N/                             a partition (log.ts)
 *   DIR/TOPIC-N.UNIQUE-MARK/                 one that is being deleted, moved here, or kept though nobody knows it (marked-folders.ts)
 *
 * meta.properties and __cluster_metadata-0 lie here too and are others' business.
 */
import { METADATA_TOPIC } from '../protocol/metadata-topic.ts';
import { type CheckedFiles, filesToCheck } from './checked-files.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import {
  CLEAN_SHUTDOWN_FILE,
  CLEANER_CHECKPOINT,
  LOG_START_CHECKPOINT,
  offsetCheckpointText,
  type PartitionOffset,
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_CHECKPOINT,
  readCleanShutdown,
  writeCleanShutdown,
} from './checkpoints.ts';
import { closeLogs } from './closing-logs.ts';
import { type Disk, DiskError, type DiskLock } from './disk.ts';
import { makeDurableDir } from './durable-dir.ts';
import { FutureLogs } from './future-logs.ts';
import { Log } from './log.ts';
import type { LogConfig } from './log-config.ts';
import type { LogHistory, StorageClock } from './log-options.ts';
import { SILENT_LOGGER, type StorageLogger } from './logger.ts';
import { isDeletedDirName, MarkedFolders } from './marked-folders.ts';
import { parsePartitionDirName, partitionDirName } from './names.ts';
import { OffsetCheckpoint } from './offset-checkpoint.ts';
import { findTopicId } from './partition-metadata.ts';
import { LogResources } from './resources.ts';
import { Vouching } from './vouching.ts';

const LOCK_FILE = '.lock';
const PROBE_FILE = '.odradek-probe';

export interface LogDirOptions {
  disk: Disk;
  resources?: LogResources;
  path: string;
  clock: StorageClock;
  /** A fresh text for the names of folders to be deleted: letters, digits, '-' and '_'. */
  unique: () => string;
  logger?: StorageLogger;
  /** Told of each error of the disk in a log: `examine` finds out whether it is the whole directory's. */
  onDiskError?: (error: DiskError) => void;
}

/** The folder of a partition that nobody has opened. */
export interface UnclaimedFolder {
  readonly topic: string;
  readonly partition: number;
  /** Looked up when it is asked for, since most folders are opened without; null where it cannot be told. */
  readonly topicId: string | null;
}

export class LogDir {
  readonly path: string;
  /** Whether the last process that used the directory ended in an orderly way. */
  readonly wasClean: boolean;
  /** The broker epoch at that end (KIP-966); -1 when it was not clean or none was written. */
  readonly previousBrokerEpoch: number;
  readonly #options: LogDirOptions;
  readonly #logger: StorageLogger;
  readonly #resources: LogResources;
  readonly #lock: DiskLock;
  readonly #logs = new Map<string, Log>();
  readonly #folders: MarkedFolders;
  /** Logs that are being moved here. */
  readonly futures: FutureLogs;
  /** Folders of partitions that nobody has asked for yet. */
  readonly #unclaimed: Set<string>;
  readonly #checkpoints: CheckpointWriter;
  readonly #recoveryPoints: OffsetCheckpoint;
  readonly #logStartOffsets: OffsetCheckpoint;
  readonly #cleanedUpTo: OffsetCheckpoint;
  /** A log has been flushed since the recovery points were written. */
  #hasFlushed = false;
  /** Names of folders that were moved away, which may come back at a power cut, and may stand in the checkpoints. */
  readonly #moved = new Set<string>();
  /** It is on disk for good that this start was one. */
  #startIsDurable: boolean;
  readonly #vouching: Vouching;
  #checkedFiles: CheckedFiles = new Map();

  /** Throws DiskError with LOCKED when another process, or another part of this one, has the directory open. */
  static open(options: LogDirOptions): LogDir {
    makeDurableDir(options.disk, options.path);
    const lock = options.disk.lock(`${options.path}/${LOCK_FILE}`);
    try {
      return new LogDir(options, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(options: LogDirOptions, lock: DiskLock) {
    const { disk, path } = options;
    this.path = path;
    this.#options = options;
    this.#logger = options.logger ?? SILENT_LOGGER;
    this.#resources = options.resources ?? new LogResources(disk);
    this.#lock = lock;
    const marker = readCleanShutdown(disk, path);
    this.wasClean = marker !== null;
    this.previousBrokerEpoch = marker?.brokerEpoch ?? -1;
    this.#startIsDurable = false;
    this.#removeMarker();
    this.#checkpoints = new CheckpointWriter(disk, path, this.#logger);
    this.#recoveryPoints = this.#newCheckpoint(RECOVERY_POINT_CHECKPOINT, (log) => log.recoveryPoint);
    this.#logStartOffsets = this.#newCheckpoint(LOG_START_CHECKPOINT, logStartOf);
    this.#cleanedUpTo = this.#newCheckpoint(CLEANER_CHECKPOINT, (log) => log.cleanedUpTo);
    this.#folders = new MarkedFolders({ disk, path, unique: options.unique, deletions: this.#resources.deletions });
    this.#unclaimed = new Set();
    const names = disk.list(path);
    for (const name of names) this.#found(name);
    this.futures = new FutureLogs(this.#folders, names);
    if (!this.wasClean && this.#unclaimed.size === 0) this.#startIsDurable = true;
    this.#forgetMissing(this.#recoveryPoints);
    this.#forgetMissing(this.#logStartOffsets);
    this.#forgetMissing(this.#cleanedUpTo);
    const unchecked = this.wasClean || lock.vouched ? [] : this.#unclaimed;
    this.#vouching = new Vouching(lock, unchecked, this.#logger);
  }

  #newCheckpoint(file: string, offsetOf: (log: Log) => number | null): OffsetCheckpoint {
    const writer = this.#checkpoints;
    const [logs, unclaimed] = [() => this.#logs.values(), () => this.#unclaimed];
    return new OffsetCheckpoint({ file, writer, logs, unclaimed, offsetOf });
  }

  /** Checkpoints may still speak of a folder that was moved away; one of that name that is made now is another. */
  #forgetMissing(offsets: OffsetCheckpoint): void {
    for (const [name, offset] of offsets.entries()) {
      if (this.#unclaimed.has(name)) continue;
      this.#logger.warn({ dir: this.path, partition: name, offset }, 'a partition in a checkpoint has no folder');
      offsets.delete(name);
      this.#moved.add(name);
    }
  }

  /** A crash from now on is one, whatever the last end was like. */
  #removeMarker(): void {
    if (!this.wasClean) return;
    this.#options.disk.remove(`${this.path}/${CLEAN_SHUTDOWN_FILE}`);
    const done = (): void => {
      this.#startIsDurable = true;
    };
    this.#options.disk.syncDirAsync(this.path).then(done, (error: unknown) => {
      this.#logger.warn({ dir: this.path, err: error }, 'the removal of the clean shutdown marker is not durable yet');
    });
  }

  /** With the marker back after a power cut, nobody would look for what was appended after the start. */
  readonly #makeStartDurable = (): void => {
    if (!this.#startIsDurable) this.#options.disk.syncDir(this.path);
    this.#startIsDurable = true;
  };

  #found(name: string): void {
    if (isDeletedDirName(name)) {
      this.#folders.deletionFound(name);
      return;
    }
    const parsed = parsePartitionDirName(name);
    if (parsed !== null && parsed.topic !== METADATA_TOPIC) this.#unclaimed.add(name);
  }

  /** Logs that are open. */
  logs(): Iterable<Log> {
    return this.#logs.values();
  }

  get(topic: string, partition: number): Log | undefined {
    return this.#logs.get(partitionDirName(topic, partition));
  }

  /** Folders of partitions that are on disk and that nobody has opened. */
  unclaimed(): UnclaimedFolder[] {
    const topicIdOf = this.topicIdOf.bind(this);
    const partitions = [...this.#unclaimed].map(parsePartitionDirName).filter((parsed) => parsed !== null);
    return partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      get topicId() {
        return topicIdOf(topic, partition);
      },
    }));
  }

  /** Which topic the partition's folder that nobody has opened belongs to; null where it does not say, or there is none. */
  topicIdOf(topic: string, partition: number): string | null {
    const name = partitionDirName(topic, partition);
    return this.#unclaimed.has(name) ? findTopicId(this.#options.disk, `${this.path}/${name}`) : null;
  }

  /** Files that logs will be recovered from as a whole; none after an orderly end, or where the last holder has vouched for them. */
  filesToCheck(): string[] {
    if (this.wasClean || this.#lock.vouched) return [];
    const { disk } = this.#options;
    return [...this.#unclaimed].flatMap((name) =>
      filesToCheck(disk, `${this.path}/${name}`, this.#recoveryPoints.get(name) ?? 0),
    );
  }

  /** What was found out about `filesToCheck`; logs that are opened from now on are not checked once more. */
  filesChecked(files: CheckedFiles): void {
    this.#checkedFiles = files;
  }

  /** Whether there is a log of this partition, open or not. */
  has(topic: string, partition: number): boolean {
    const name = partitionDirName(topic, partition);
    return this.#logs.has(name) || this.#unclaimed.has(name);
  }

  /** The partition's log. A folder of a topic with the same name and another id is set aside. */
  openOrCreate(topic: string, partition: number, topicId: string, config: LogConfig): Log {
    const name = partitionDirName(topic, partition);
    const known = this.#logs.get(name);
    if (known !== undefined && known.topicId === topicId) {
      known.updateConfig(config);
      return known;
    }
    if (known !== undefined) this.delete(known);
    const found = this.topicIdOf(topic, partition);
    if (found !== null && found !== topicId) this.setAside(topic, partition, found);
    // Nothing of the folder that had the name may be taken for the new one's.
    if (this.#moved.has(name)) this.#checkpointNow();
    const log = this.#open(topic, partition, topicId, config);
    this.#logs.set(name, log);
    this.#claimed(name);
    return log;
  }

  #claimed(name: string): void {
    this.#unclaimed.delete(name);
    if (this.#unclaimed.size === 0) this.#checkedFiles = new Map();
    this.#vouching.checked(name);
  }

  #open(topic: string, partition: number, topicId: string, config: LogConfig): Log {
    const name = partitionDirName(topic, partition);
    // A recovery is a change; and who removed the marker may have been a process that ended before it was gone for good.
    if (!this.wasClean) this.#makeStartDurable();
    const recoveryPoint = this.#recoveryPoints.get(name) ?? 0;
    const logStartOffset = this.#logStartOffsets.get(name) ?? 0;
    const cleanedUpTo = this.#cleanedUpTo.get(name);
    const { vouched } = this.#lock;
    const checkedFiles = this.#checkedFiles;
    const from = { recoveryPoint, logStartOffset, cleanedUpTo, clean: this.wasClean, vouched, checkedFiles };
    return this.#load(topic, partition, topicId, config, from);
  }

  #load(
    topic: string,
    partition: number,
    topicId: string | null,
    config: LogConfig,
    from: LogHistory,
    folder = partitionDirName(topic, partition),
  ): Log {
    try {
      return Log.open({
        ...from,
        onDiskError: this.#onDiskError,
        disk: this.#options.disk,
        resources: this.#resources,
        dir: `${this.path}/${folder}`,
        topic,
        partition,
        topicId,
        config,
        clock: this.#options.clock,
        logger: this.#logger,
        beforeFirstChange: this.#makeStartDurable,
        recoveryPointChanged: this.#checkpointNow,
        onFlushed: () => {
          this.#hasFlushed = true;
        },
      });
    } catch (error) {
      this.#vouching.doubt();
      throw error;
    }
  }

  readonly #onDiskError = (error: DiskError): void => {
    this.#vouching.doubt();
    this.#options.onDiskError?.(error);
  };

  /** Opens, or makes, the log that is to become the partition's here; it is filled from the one in another directory. */
  openFuture(topic: string, partition: number, topicId: string | null, config: LogConfig): Log {
    const from = { recoveryPoint: 0, logStartOffset: 0, clean: false };
    return this.futures.open(topic, partition, (name) => this.#load(topic, partition, topicId, config, from, name));
  }

  /** The future log holds all that the partition's log does: it takes its place. */
  promoteFuture(future: Log, logStartOffset: number): Log {
    const { topic, partition, topicId, config, cleanedUpTo } = future;
    // From here on it counts as a log that was closed durably.
    future.flushSync();
    const { recoveryPoint } = future;
    if (this.#moved.has(partitionDirName(topic, partition))) this.#checkpointNow();
    this.futures.promote(topic, partition);
    const from = { recoveryPoint, logStartOffset, cleanedUpTo, clean: true };
    const promoted = this.#load(topic, partition, topicId, config, from);
    this.#logs.set(partitionDirName(topic, partition), promoted);
    return promoted;
  }

  /**
   * A log that has failed, opened anew: what is in the files is recovered from the recovery point on. Throws while the disk does not allow it;
   * the log stays as it was then.
   */
  reopen(log: Log): Log {
    const { topic, partition, topicId, config, recoveryPoint, logStartOffset, cleanedUpTo } = log;
    log.abandon();
    const from = { recoveryPoint, logStartOffset, cleanedUpTo, clean: false, rewrite: true };
    const opened = this.#load(topic, partition, topicId, config, from);
    this.#logs.set(partitionDirName(topic, partition), opened);
    return opened;
  }

  /** Whether the directory can be written to. A full disk is none that has failed, nor is one that no descriptor is left for. */
  examine(): DiskError | null {
    const { disk } = this.#options;
    const path = `${this.path}/${PROBE_FILE}`;
    try {
      disk.writeFile(path, '');
      disk.remove(path);
      return null;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return error.isShortage ? null : error;
    }
  }

  /** The partition is gone: its folder is renamed now and deleted after file.delete.delay.ms. */
  delete(log: Log): void {
    log.abandon();
    this.#logs.delete(partitionDirName(log.topic, log.partition));
    this.#moveAway(log.topic, log.partition, this.#options.clock.nowMs() + log.config.fileDeleteDelayMs);
  }

  /** Deletes a folder that nobody has opened. */
  deleteUnclaimed(topic: string, partition: number): void {
    if (this.#unclaimed.has(partitionDirName(topic, partition))) this.#moveAway(topic, partition, 0);
  }

  /** Keeps a folder that nobody has opened, and that is no partition's of this directory by the metadata, as TOPIC-N.UNIQUE-stray. */
  setAside(topic: string, partition: number, topicId: string | null): void {
    const name = partitionDirName(topic, partition);
    if (!this.#unclaimed.has(name)) return;
    const folder = this.#folders.setAside(name, topic, partition);
    this.#forget(name);
    this.#logger.warn(
      { dir: this.path, topic, partition, topicId, folder },
      `the metadata has no such partition in this directory: ${name} is kept as ${folder}`,
    );
  }

  #moveAway(topic: string, partition: number, dueMs: number): void {
    const name = partitionDirName(topic, partition);
    this.#folders.delete(name, topic, partition, dueMs);
    this.#forget(name);
  }

  /** The folder has another name now. */
  #forget(name: string): void {
    for (const offsets of [this.#recoveryPoints, this.#logStartOffsets, this.#cleanedUpTo]) offsets.delete(name);
    this.#moved.add(name);
    this.#claimed(name);
  }

  /** Deletes files and folders whose file.delete.delay.ms is over; to be called now and then. */
  deleteDue(nowMs: number): Promise<void> {
    return this.#resources.deletions.run(nowMs, this.#logger);
  }

  /** Flushes logs by flush.ms; to be called now and then. One that fails has told of it, and the others are flushed all the same. */
  async flushDue(nowMs: number): Promise<void> {
    for (const log of this.#logs.values()) {
      const isDue = log.logEndOffset > log.recoveryPoint && nowMs - log.lastFlushMs >= log.config.flushMs;
      if (isDue && log.failure === null) await log.flush().catch(() => {});
    }
  }

  /** Writes recovery points and log starts, where they have changed. */
  async checkpoint(durable = true): Promise<void> {
    await this.checkpointRecoveryPoints(durable);
    await this.checkpointLogStarts(durable);
  }

  /** Writes recovery points, where they have changed; to be called now and then. */
  async checkpointRecoveryPoints(durable: boolean): Promise<void> {
    this.#hasFlushed = false;
    await this.#recoveryPoints.write(durable);
  }

  /** Writes recovery points soon after logs were flushed, as they are when they roll: a start after a crash scans that much less. */
  async checkpointFlushed(): Promise<void> {
    if (this.#hasFlushed) await this.checkpointRecoveryPoints(true);
  }

  /** Writes log starts, where they have changed; to be called now and then. */
  checkpointLogStarts(durable: boolean): Promise<void> {
    return this.#logStartOffsets.write(durable);
  }

  /** As `checkpoint` and `checkpointCleaner`, at once, and with it the names in the directory. */
  readonly #checkpointNow = (): void => {
    const [recoveryPoints, logStarts] = [this.#recoveryPoints.content(), this.#logStartOffsets.content()];
    this.#checkpoints.writeNow([recoveryPoints, logStarts, ...this.#cleanedUpTo.contentIfUsed()]);
    this.#moved.clear();
  };

  /** Writes how far logs are compacted, where that has changed. */
  checkpointCleaner(durable = true): Promise<void> {
    return this.#cleanedUpTo.writeIfUsed(durable);
  }

  /** High watermarks as they were written last, by folder name (TOPIC-N). */
  readHighWatermarks(): Map<string, number> {
    return this.#checkpoints.read(REPLICATION_CHECKPOINT);
  }

  async writeHighWatermarks(highWatermarks: Iterable<PartitionOffset>): Promise<void> {
    const text = offsetCheckpointText(highWatermarks);
    await this.#checkpoints.write(REPLICATION_CHECKPOINT, () => text, true);
  }

  /** Of the file system around the directory. */
  space(): { totalBytes: number; usableBytes: number } {
    return this.#options.disk.space(this.path);
  }

  /**
   * Closes all logs in an orderly way and leaves the marker that says so, unless one of them has failed. With `durable: false` nothing is
   * forced to the disk: enough for the end of a process, not for a power cut.
   */
  async close(options: { brokerEpoch?: number; durable?: boolean } = {}): Promise<void> {
    const durable = options.durable ?? true;
    this.futures.close();
    const failed = await closeLogs([...this.#logs.values()], durable, this.#logger);
    try {
      await this.checkpoint(durable);
      await this.checkpointCleaner(durable);
      // Logs that nobody opened are as the last process left them.
      const isClean = failed === 0 && (this.wasClean || this.#unclaimed.size === 0);
      if (isClean) writeCleanShutdown(this.#options.disk, this.path, options.brokerEpoch ?? -1, durable);
    } finally {
      this.#lock.release();
    }
  }

  /** Closes without any of that, as a crash would; the lock is released. */
  abandon(): void {
    this.futures.close();
    for (const log of this.#logs.values()) log.abandon();
    try {
      this.#lock.release();
    } catch (error) {
      // where the directory has failed, so has the lock's file
      this.#logger.warn({ dir: this.path, err: error }, 'the lock could not be released');
    }
  }
}

/** Also where a segment's name says the same: older segments may come back at a power cut. */
const logStartOf = (log: Log): number | null => (log.logStartOffset > 0 ? log.logStartOffset : null);
