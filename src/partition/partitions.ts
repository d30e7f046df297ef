import type { Log } from '../../storage/index.ts';
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
  /** Opens the partition's log, or makes it where there is none. */
  openOrCreate(topic: string, partition: number, topicId: string, config: TopicConfig): Log;
  delete(log: Log): void;
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

  private open(topic: TopicAssignment, index: number, state: PartitionState, config: TopicConfig): Partition {
    const log = this.logs.openOrCreate(topic.name, index, topic.id, config);
    if (state.leader === this.nodeId && log.latestEpoch < state.leaderEpoch) log.assignEpoch(state.leaderEpoch);
    return new Partition({ topic: topic.name, topicId: topic.id, index, log, config, state });
  }

  private change(partition: Partition, state: PartitionState): void {
    const isNewEpoch = state.leaderEpoch > partition.leaderEpoch;
    partition.state = state;
    if (isNewEpoch && state.leader === this.nodeId) partition.log.assignEpoch(state.leaderEpoch);
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
