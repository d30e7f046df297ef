import { type Disk, type Log, LogDir, LogResources, type StorageLogger } from '../../storage/index.ts';
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
}

/** The node's log directories as one store: a partition stays where it is, a new one goes where the fewest are. */
export class LogDirectories implements LogStore {
  private readonly options: LogDirectoriesOptions;
  private readonly dirs: LogDir[] = [];
  private readonly counts = new Map<LogDir, number>();
  private readonly homes = new Map<Log, LogDir>();

  /** Locks every directory. Throws DiskError with LOCKED where another broker has one. */
  constructor(options: LogDirectoriesOptions) {
    this.options = options;
    const { disk, clock, random, logger } = options;
    const resources = new LogResources(disk);
    try {
      for (const path of options.paths) {
        this.dirs.push(LogDir.open({ disk, resources, path, clock, unique: () => random.uuid(), logger }));
      }
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  openOrCreate(topic: string, partition: number, topicId: string, config: TopicConfig): Log {
    const dir = this.dirs.find((d) => d.has(topic, partition)) ?? this.emptiest();
    const log = dir.openOrCreate(topic, partition, topicId, logConfigOf(config, this.options.config()));
    this.homes.set(log, dir);
    this.counts.set(dir, (this.counts.get(dir) ?? 0) + 1);
    return log;
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

  updateConfig(log: Log, config: TopicConfig): void {
    log.updateConfig(logConfigOf(config, this.options.config()));
  }

  directories(): LogDirectory[] {
    return this.dirs.map((dir) => ({ path: dir.path, isOffline: false, ...dir.space() }));
  }

  async checkpoint(partitions: Partitions): Promise<void> {
    for (const dir of this.dirs) await dir.checkpoint(false);
    await this.writeHighWatermarks(partitions);
  }

  private async writeHighWatermarks(partitions: Partitions): Promise<void> {
    const byDir = new Map<LogDir, { topic: string; partition: number; offset: number }[]>();
    for (const { topic, index: partition, log, highWatermark: offset } of partitions.all()) {
      const dir = this.homes.get(log);
      if (dir === undefined) continue;
      const list = byDir.get(dir);
      if (list === undefined) byDir.set(dir, [{ topic, partition, offset }]);
      else list.push({ topic, partition, offset });
    }
    for (const [dir, offsets] of byDir) await dir.writeHighWatermarks(offsets);
  }

  async deleteDue(): Promise<void> {
    for (const dir of this.dirs) await dir.deleteDue(this.options.clock.nowMs());
  }

  async flushDue(): Promise<void> {
    for (const dir of this.dirs) await dir.flushDue(this.options.clock.nowMs());
  }

  /** The orderly end: flushes, checkpoints, marks as clean, releases the locks. */
  async close(partitions: Partitions, brokerEpoch: number): Promise<void> {
    await this.writeHighWatermarks(partitions);
    for (const dir of this.dirs) await dir.close({ brokerEpoch });
  }

  abandon(): void {
    for (const dir of this.dirs) dir.abandon();
  }
}
