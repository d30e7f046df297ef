import { DiskError, type Log, LogError } from '../../storage/index.ts';
import type { TopicConfig } from '../config/topic-config.ts';
import type { Logger } from '../env.ts';
import { Partition, type PartitionState } from './partition.ts';

/** A log directory as DescribeLogDirs tells of it (KIP-827). */
export interface LogDirectory {
  readonly path: string;
  readonly isOffline: boolean;
  readonly totalBytes: number;
  readonly usableBytes: number;
}

/** Where logs come from and go to; storage's log manager, narrowed. */
export interface LogStore {
  /**
   * Opens the partition's log, or makes it where there is none. `directoryId` is where the metadata has it (KIP-858), null while that is not
   * said. Null where this directory is offline: a new log elsewhere would hide the records there.
   */
  openOrCreate(
    topic: string,
    partition: number,
    topicId: string,
    config: TopicConfig,
    directoryId: string | null,
  ): Log | null;
  /** The id of the directory that `log` lies in; null when it is offline. */
  directoryIdOf(log: Log): string | null;
  /** Opens a log that has failed anew, from what is in its files. Throws while the disk does not allow it. */
  reopen(log: Log): Log;
  delete(log: Log): void;
  /** Keeps folders of partitions that nobody has opened, nor awaits, out of the way: a topic that is made later is none of theirs. */
  setStraysAside(isAwaited: (topic: string, partition: number) => boolean): void;
  updateConfig(log: Log, config: TopicConfig): void;
  directories(): LogDirectory[];
}

/** A topic as the metadata assigns it; `partitions[i]` is partition i. */
export interface TopicAssignment {
  readonly name: string;
  readonly id: string;
  readonly partitions: readonly PartitionState[];
}

/** The replicas that this node holds, as the metadata says; found by topic name or by topic id. */
export class Partitions {
  private readonly nodeId: number;
  private readonly logs: LogStore;
  private readonly logger: Logger;
  private readonly byName = new Map<string, (Partition | undefined)[]>();
  private readonly byId = new Map<string, (Partition | undefined)[]>();
  /** Own replicas whose logs cannot be opened, by folder name, with the reason that was logged. */
  private readonly unopened = new Map<string, string>();

  constructor(nodeId: number, logs: LogStore, logger: Logger) {
    this.nodeId = nodeId;
    this.logs = logs;
    this.logger = logger;
  }

  get(topic: string, index: number): Partition | undefined {
    return this.byName.get(topic)?.[index];
  }
  getById(topicId: string, index: number): Partition | undefined {
    return this.byId.get(topicId)?.[index];
  }
  *all(): Iterable<Partition> {
    for (const partitions of this.byName.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition;
    }
  }
  ofTopic(topic: string): readonly (Partition | undefined)[] {
    return this.byName.get(topic) ?? [];
  }
  directories(): LogDirectory[] {
    return this.logs.directories();
  }

  /** Takes a new or changed topic: opens the logs of partitions that are new here, passes on new states. */
  assign(topic: TopicAssignment, config: TopicConfig): void {
    let mine = this.byId.get(topic.id);
    if (mine === undefined) {
      mine = [];
      this.byId.set(topic.id, mine);
      this.byName.set(topic.name, mine);
    }
    for (const [index, state] of topic.partitions.entries()) {
      const known = mine[index];
      if (known !== undefined) this.change(known, state);
      else if (state.replicas.includes(this.nodeId)) mine[index] = this.open(topic, index, state, config);
    }
  }

  /** To be called when all topics of the metadata are assigned: what is left on the disk is no replica of this node's (KIP-858). */
  setStraysAside(): void {
    this.logs.setStraysAside((topic, index) => this.unopened.has(`${topic}-${index}`));
  }

  private open(
    topic: TopicAssignment,
    index: number,
    state: PartitionState,
    config: TopicConfig,
  ): Partition | undefined {
    const log = this.openLog(topic, index, state, config);
    if (log === null) return undefined;
    return new Partition({ topic: topic.name, topicId: topic.id, index, log, config, state });
  }

  /** Null where the disk or what is on it does not allow it: the partition is offline, and the others are not. */
  private openLog(topic: TopicAssignment, index: number, state: PartitionState, config: TopicConfig): Log | null {
    const key = `${topic.name}-${index}`;
    const directoryId = state.directories[state.replicas.indexOf(this.nodeId)] ?? null;
    try {
      const log = this.logs.openOrCreate(topic.name, index, topic.id, config, directoryId);
      if (log === null) return null;
      // Read in any case: what the disk does not give here, it would not give when the partition gets its leader.
      const { latestEpoch } = log;
      if (state.leader === this.nodeId && latestEpoch < state.leaderEpoch) log.assignEpoch(state.leaderEpoch);
      this.unopened.delete(key);
      return log;
    } catch (err) {
      if (!(err instanceof LogError || err instanceof DiskError)) throw err;
      if (this.unopened.get(key) !== err.message) {
        this.logger.error({ topic: topic.name, partition: index, err }, `the partition is offline: ${err.message}`);
      }
      this.unopened.set(key, err.message);
      return null;
    }
  }

  private change(partition: Partition, state: PartitionState): void {
    const isNewEpoch = state.leaderEpoch > partition.leaderEpoch;
    partition.state = state;
    if (isNewEpoch && state.leader === this.nodeId) partition.log.assignEpoch(state.leaderEpoch);
  }

  /** Partitions whose directory is not the one in the metadata, with where they lie. */
  misplaced(topics: Iterable<TopicAssignment>): { topicId: string; partitionId: number; directoryId: string }[] {
    const found: { topicId: string; partitionId: number; directoryId: string }[] = [];
    for (const { id: topicId, partitions } of topics) {
      for (const [partitionId, { replicas, directories }] of partitions.entries()) {
        const partition = this.getById(topicId, partitionId);
        const directoryId = partition === undefined ? null : this.logs.directoryIdOf(partition.log);
        if (directoryId === null || directories[replicas.indexOf(this.nodeId)] === directoryId) continue;
        found.push({ topicId, partitionId, directoryId });
      }
    }
    return found;
  }

  /** Whether an own replica of the topic is not open. */
  hasUnopened({ name, partitions }: TopicAssignment): boolean {
    return this.unopened.size > 0 && partitions.some((_, index) => this.unopened.has(`${name}-${index}`));
  }

  /** Opens logs anew that have failed, where the disk allows it by now. */
  reviveFailed(): void {
    for (const partition of this.all()) {
      if (partition.log.failure === null || partition.isOffline) continue;
      try {
        partition.replaceLog(this.logs.reopen(partition.log));
        this.logger.info({ topic: partition.topic, partition: partition.index }, 'the log works again');
      } catch (err) {
        this.logger.debug({ topic: partition.topic, partition: partition.index, err }, 'the log still does not work');
      }
    }
  }

  /** The directory of these logs has failed. */
  takeOffline(logs: readonly Log[]): void {
    const gone = new Set(logs);
    for (const partition of this.all()) if (gone.has(partition.log)) partition.markOffline();
  }

  /** The topic is deleted: its partitions refuse from now on and their files go. */
  remove(topicId: string): void {
    const gone = this.byId.get(topicId) ?? [];
    this.byId.delete(topicId);
    for (const partition of gone) {
      if (partition === undefined) continue;
      if (this.byName.get(partition.topic) === gone) this.byName.delete(partition.topic);
      partition.markDeleted();
      this.logs.delete(partition.log);
    }
    this.logger.info({ topicId, partitions: gone.length }, 'topic deleted');
  }

  /** New configuration of a topic; it holds from the next append on. */
  configure(topic: string, config: TopicConfig): void {
    for (const partition of this.ofTopic(topic)) {
      if (partition === undefined) continue;
      partition.config = config;
      this.logs.updateConfig(partition.log, config);
    }
  }
}
