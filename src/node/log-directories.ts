import {
  areLarger,
  type CheckedFiles,
  type Disk,
  DiskError,
  type Log,
  LogDir,
  LogResources,
  type StorageLogger,
} from '../../storage/index.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { TopicConfig } from '../config/topic-config.ts';
import type { Clock, Random } from '../env.ts';
import type { LogDirectory, LogStore, Partitions } from '../partition/partitions.ts';
import { logConfigOf } from './topic-logs.ts';

export interface LogDirectoriesOptions {
  readonly disk: Disk;
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: StorageLogger;
  config(): BrokerConfig;
  /** Checks files before logs are recovered from them, in several threads. */
  checkFiles(paths: readonly string[], threads: number): Promise<CheckedFiles>;
}

/** A directory has failed while the broker runs; `logs` were in it. `directoryId` is null before the directories are identified. */
export type OfflineListener = (directoryId: string | null, logs: readonly Log[], error: DiskError) => void;

/** Kafka's first hundred ids mean no directory in particular (KIP-858). */
const RESERVED_DIRECTORY = /^A{20}/;
const isAssigned = (directoryId: string | null): boolean =>
  directoryId !== null && !RESERVED_DIRECTORY.test(directoryId);

const SHORTAGE_REMINDER_MS = 60_000;
/** DescribeLogDirs says this of a directory it cannot look into (KIP-827). */
const UNKNOWN_BYTES = -1;

/** To start threads takes as long as to check some of it. */
const WORTH_THREADS_BYTES = 67_108_864;

function inTurns(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}

/**
 * The node's log directories as one store: a partition stays where it is, a new one goes where the fewest are. One that fails is left
 * alone until the next start, and the others go on (KIP-112); one that was only full at the start comes back.
 */
export class LogDirectories implements LogStore {
  private readonly options: LogDirectoriesOptions;
  private readonly dirs: LogDir[] = [];
  private readonly offline = new Set<string>();
  /** Those of them that were full at the start. */
  private readonly full = new Set<string>();
  private readonly resources: LogResources;
  /** directory.id by path, of those in use. */
  private directoryIds: ReadonlyMap<string, string> = new Map();
  private readonly counts = new Map<LogDir, number>();
  private readonly homes = new Map<Log, LogDir>();
  private readonly examining = new Set<LogDir>();
  private readonly toldShortageMs = new Map<LogDir, number>();
  private onOffline: OfflineListener = () => {};

  /**
   * Locks every directory. Throws DiskError with LOCKED where another broker has one, and the last reason when not one of them can be
   * used; one of several that cannot is offline from the start.
   */
  constructor(options: LogDirectoriesOptions) {
    this.options = options;
    this.resources = new LogResources(options.disk);
    try {
      for (const path of options.paths) this.openAtStart(path);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  private openAtStart(path: string): void {
    try {
      this.dirs.push(this.open(path));
    } catch (error) {
      if (!(error instanceof DiskError) || error.code === 'LOCKED') throw error;
      const { logger, paths } = this.options;
      this.offline.add(path);
      if (this.offline.size === paths.length) throw error;
      if (error.code === 'NO_SPACE') this.full.add(path);
      const until = error.code === 'NO_SPACE' ? ' until there is room' : '';
      logger.error({ dir: path, err: error }, `the log directory cannot be used: its partitions are offline${until}`);
    }
  }

  private open(path: string): LogDir {
    const { disk, clock, random, logger } = this.options;
    const { resources } = this;
    const unique = () => random.uuid();
    const onDiskError = (error: DiskError) => this.suspect(dir, error);
    const dir: LogDir = LogDir.open({ disk, resources, path, clock, unique, logger, onDiskError });
    return dir;
  }

  /** Opens directories that were full at the start and have room by now; gives the ids of those. `identify` tells the ids by path. */
  reopenFull(identify: (paths: readonly string[]) => ReadonlyMap<string, string>): string[] {
    const back: string[] = [];
    for (const path of [...this.full]) {
      try {
        back.push(this.reopenAt(path, identify));
      } catch (err) {
        if (err instanceof DiskError && err.code === 'NO_SPACE') continue;
        this.full.delete(path);
        this.options.logger.error({ dir: path, err }, 'the log directory stays offline until the next start');
      }
    }
    return back;
  }

  private reopenAt(path: string, identify: (paths: readonly string[]) => ReadonlyMap<string, string>): string {
    const dir = this.open(path);
    try {
      this.identified(identify([...this.onlinePaths(), path]));
    } catch (error) {
      dir.abandon();
      throw error;
    }
    this.full.delete(path);
    this.offline.delete(path);
    this.dirs.push(dir);
    return this.directoryIds.get(path) as string;
  }

  /** The directories in use. */
  onlinePaths(): string[] {
    return this.dirs.map((dir) => dir.path);
  }

  /**
   * To be awaited before logs are opened: after a power cut most of their recovery can be done in advance, in
   * num.recovery.threads.per.data.dir threads for each directory. What is not checked here is checked when its log is opened.
   */
  async checkFiles(): Promise<void> {
    const { disk, config, logger, checkFiles } = this.options;
    try {
      const toCheck = this.dirs.map((dir) => dir.filesToCheck()).filter((files) => files.length > 0);
      // In turns, so that each disk has something to do all the time.
      const paths = inTurns(toCheck);
      if (!areLarger(disk, paths, WORTH_THREADS_BYTES)) return;
      const threads = toCheck.length * config().get('num.recovery.threads.per.data.dir');
      logger.info({ files: paths.length, threads }, 'nobody vouches for what was written last: it is checked');
      const checked = await checkFiles(paths, threads);
      for (const dir of this.dirs) dir.filesChecked(checked);
    } catch (err) {
      logger.warn({ err }, 'files could not be checked in advance: each log is checked when it is opened');
    }
  }

  whenOffline(listener: OfflineListener): void {
    this.onOffline = listener;
  }

  /** Tells the directory.id of each directory in use, by path. */
  identified(directoryIds: ReadonlyMap<string, string>): void {
    this.directoryIds = directoryIds;
  }

  directoryIdOf(log: Log): string | null {
    const dir = this.homes.get(log);
    return dir === undefined ? null : (this.directoryIds.get(dir.path) ?? null);
  }

  openOrCreate(
    topic: string,
    partition: number,
    topicId: string,
    config: TopicConfig,
    directoryId: string | null,
  ): Log | null {
    const found = this.find(topic, partition, topicId, directoryId);
    if (found === undefined && isAssigned(directoryId) && this.offline.size > 0) return null;
    const dir = found ?? this.emptiest();
    const log = dir.openOrCreate(topic, partition, topicId, logConfigOf(config, this.options.config()));
    // it is known already where what came after the opening has failed
    if (!this.homes.has(log)) this.counts.set(dir, (this.counts.get(dir) ?? 0) + 1);
    this.homes.set(log, dir);
    return log;
  }

  /**
   * Where the partition lies, or shall lie. A move that ended between its two renames has left it in two places, with the same content; the
   * metadata may name the one, and the other goes. What has the name and is another topic's is set aside.
   */
  private find(topic: string, partition: number, topicId: string, directoryId: string | null): LogDir | undefined {
    const named = this.withId(directoryId);
    const all = this.dirs.filter((dir) => dir.has(topic, partition));
    if (all.length === 1 && all[0] === named) return named;
    const ids = new Map(all.map((dir) => [dir, dir.topicIdOf(topic, partition)]));
    const own = all.filter((dir) => ids.get(dir) === topicId);
    // a power cut may have taken a new partition's topic id
    const candidates = own.length > 0 ? own : all.filter((dir) => ids.get(dir) === null);
    const found = named !== undefined && candidates.includes(named) ? named : candidates[0];
    for (const [dir, id] of ids) {
      if (dir === found) continue;
      if (id === topicId) dir.deleteUnclaimed(topic, partition);
      else dir.setAside(topic, partition, id);
    }
    return found ?? named;
  }

  setStraysAside(isAwaited: (topic: string, partition: number) => boolean): void {
    for (const dir of [...this.dirs]) {
      try {
        for (const folder of dir.unclaimed()) {
          const { topic, partition } = folder;
          if (!isAwaited(topic, partition)) dir.setAside(topic, partition, folder.topicId);
        }
      } catch (err) {
        if (!(err instanceof DiskError)) throw err;
        this.options.logger.error({ dir: dir.path, err }, 'folders of unknown partitions cannot be set aside');
        this.suspect(dir, err);
      }
    }
  }

  private withId(directoryId: string | null): LogDir | undefined {
    return this.dirs.find((dir) => this.directoryIds.get(dir.path) === directoryId);
  }

  private emptiest(): LogDir {
    return this.dirs.reduce((best, dir) => ((this.counts.get(dir) ?? 0) < (this.counts.get(best) ?? 0) ? dir : best));
  }

  delete(log: Log): void {
    const dir = this.homes.get(log);
    if (dir === undefined) return;
    this.homes.delete(log);
    this.counts.set(dir, (this.counts.get(dir) ?? 1) - 1);
    dir.delete(log);
  }

  reopen(log: Log): Log {
    const dir = this.homes.get(log);
    if (dir === undefined) return log;
    const opened = dir.reopen(log);
    this.homes.delete(log);
    this.homes.set(opened, dir);
    return opened;
  }

  /** Where `log` lies; null when its directory is offline. */
  pathOf(log: Log): string | null {
    return this.homes.get(log)?.path ?? null;
  }

  private at(path: string): LogDir {
    const dir = this.dirs.find((d) => d.path === path);
    if (dir === undefined) throw new Error(`${path} is no log directory in use`);
    return dir;
  }

  /** The log in the directory `path` that is to take the place of `log`; what an earlier move left there is gone on with. */
  openFuture(log: Log, path: string): Log {
    return this.at(path).openFuture(log.topic, log.partition, log.topicId, log.config);
  }

  discardFuture(path: string, topic: string, partition: number): void {
    this.dirs.find((d) => d.path === path)?.futures.discard(topic, partition);
  }

  /** Moves that the last process did not finish. */
  unfinishedMoves(): { path: string; topic: string; partition: number }[] {
    return this.dirs.flatMap(({ path, futures }) => futures.unopened().map((found) => ({ path, ...found })));
  }

  /** `future` holds all that `log` does: it becomes the partition's log, which is given back, and `log` is deleted. */
  changePlaces(log: Log, future: Log, path: string): Log {
    const dir = this.at(path);
    future.cleanedUpTo = log.cleanedUpTo;
    const promoted = dir.promoteFuture(future, log.logStartOffset);
    this.homes.set(promoted, dir);
    this.counts.set(dir, (this.counts.get(dir) ?? 0) + 1);
    this.delete(log);
    return promoted;
  }

  updateConfig(log: Log, config: TopicConfig): void {
    log.updateConfig(logConfigOf(config, this.options.config()));
  }

  directories(): LogDirectory[] {
    const online = new Map(this.dirs.map((dir) => [dir.path, dir]));
    return this.options.paths.map((path) => {
      const dir = online.get(path);
      return { path, isOffline: dir === undefined, ...this.spaceOf(dir) };
    });
  }

  /** Unknown where the directory is offline, or fails just now. */
  private spaceOf(dir: LogDir | undefined): { totalBytes: number; usableBytes: number } {
    const unknown = { totalBytes: UNKNOWN_BYTES, usableBytes: UNKNOWN_BYTES };
    if (dir === undefined) return unknown;
    try {
      return dir.space();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.suspect(dir, error);
      return unknown;
    }
  }

  /** The disk has failed where `log` lies. */
  suspectHomeOf(log: Log, error: DiskError): void {
    const dir = this.homes.get(log);
    if (dir !== undefined) this.suspect(dir, error);
  }

  /** The disk has failed somewhere in `dir`. Whether all of it is lost is found out later, when whoever met the error is done with it. */
  private suspect(dir: LogDir, error: DiskError): void {
    if (error.isShortage) this.tellShortage(dir, error);
    if (error.isShortage || this.examining.has(dir)) return;
    this.examining.add(dir);
    this.options.clock.after(0, () => {
      this.examining.delete(dir);
      const problem = this.dirs.includes(dir) ? dir.examine() : null;
      if (problem !== null) this.fail(dir, problem);
    });
  }

  /** Once a minute: every append to a full disk meets the same error. */
  private tellShortage(dir: LogDir, err: DiskError): void {
    const nowMs = this.options.clock.monotonicMs();
    if (nowMs < (this.toldShortageMs.get(dir) ?? -Infinity) + SHORTAGE_REMINDER_MS) return;
    this.toldShortageMs.set(dir, nowMs);
    const what = err.code === 'NO_SPACE' ? 'space left' : 'file descriptor free (ulimit -n)';
    this.options.logger.error({ dir: dir.path, err }, `no ${what}: appends are refused until there is room`);
  }

  private fail(dir: LogDir, error: DiskError): void {
    const { logger } = this.options;
    const logs = [...dir.logs()];
    this.dirs.splice(this.dirs.indexOf(dir), 1);
    this.offline.add(dir.path);
    for (const log of logs) this.homes.delete(log);
    dir.abandon();
    logger.error({ dir: dir.path, err: error, partitions: logs.length }, 'the log directory has failed: it is offline');
    this.onOffline(this.directoryIds.get(dir.path) ?? null, logs, error);
  }

  /** Runs `action` for each directory; one whose disk fails at it is examined, and the others have their turn. */
  private async each(action: (dir: LogDir) => Promise<void>): Promise<void> {
    for (const dir of [...this.dirs]) {
      try {
        await action(dir);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        this.options.logger.error({ dir: dir.path, err: error }, 'the log directory could not be written to');
        this.suspect(dir, error);
      }
    }
  }

  checkpoint(partitions: Partitions): Promise<void> {
    const highWatermarks = this.highWatermarks(partitions);
    return this.each(async (dir) => {
      await dir.checkpointRecoveryPoints(true);
      await dir.writeHighWatermarks(highWatermarks.get(dir) ?? []);
    });
  }

  checkpointFlushed(): Promise<void> {
    return this.each((dir) => dir.checkpointFlushed());
  }

  checkpointLogStarts(): Promise<void> {
    return this.each((dir) => dir.checkpointLogStarts(true));
  }

  /** Writes the recovery points of the logs that lie in one directory with `log`. */
  async checkpointRecoveryPoint(log: Log): Promise<void> {
    await this.homes.get(log)?.checkpointRecoveryPoints(true);
  }

  /** Writes how far the logs are compacted that lie in one directory with `log`. */
  async checkpointCleaner(log: Log): Promise<void> {
    await this.homes.get(log)?.checkpointCleaner();
  }

  private highWatermarks(partitions: Partitions) {
    const byDir = new Map<LogDir, { topic: string; partition: number; offset: number }[]>();
    for (const { topic, index: partition, log, highWatermark: offset } of partitions.all()) {
      const dir = this.homes.get(log);
      if (dir === undefined) continue;
      const list = byDir.get(dir);
      if (list === undefined) byDir.set(dir, [{ topic, partition, offset }]);
      else list.push({ topic, partition, offset });
    }
    return byDir;
  }

  deleteDue(): Promise<void> {
    return this.each((dir) => dir.deleteDue(this.options.clock.nowMs()));
  }

  flushDue(): Promise<void> {
    return this.each((dir) => dir.flushDue(this.options.clock.nowMs()));
  }

  /** The orderly end: flushes, checkpoints, marks as clean, releases the locks. */
  async close(partitions: Partitions, brokerEpoch: number): Promise<void> {
    const highWatermarks = this.highWatermarks(partitions);
    await this.each(async (dir) => {
      try {
        await dir.writeHighWatermarks(highWatermarks.get(dir) ?? []);
      } finally {
        await dir.close({ brokerEpoch });
      }
    });
  }

  abandon(): void {
    for (const dir of this.dirs) dir.abandon();
  }
}
