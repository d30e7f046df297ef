/**
 * The share coordinator (KIP-932): the service behind the share state APIs, over one state machine per partition of
 * `__share_group_state` that this node leads. Answers come at once where they can; every failure is in the answer.
 */
import type { KafkaError } from '../../../protocol/errors.ts';
import type { BrokerConfig } from '../../config/broker-config.ts';
import { asKafkaError, coordinatorError } from '../../coordinator/errors.ts';
import { all, type Eventually } from '../../coordinator/eventually.ts';
import type { CoordinatorLog } from '../../coordinator/log.ts';
import { partitionFor } from '../../coordinator/partition-for.ts';
import { CoordinatorRuntime } from '../../coordinator/runtime.ts';
import { ServiceWaits } from '../../coordinator/service-waits.ts';
import { answered, type Outcome } from '../../coordinator/state-machine.ts';
import type { Clock, Logger, Timer } from '../../env.ts';
import { messageOf } from '../error-messages.ts';
import type {
  InitializeState,
  PartitionResult,
  ReadResult,
  ReadState,
  SharePersister,
  SummaryResult,
  TopicPartitionId,
  WriteState,
} from '../persister.ts';
import { coordinatorKey } from '../share-partition-key.ts';
import {
  deleteState,
  forgetTopics,
  hasUnmovedStates,
  initializeState,
  readState,
  readStateSummary,
  snapshotCold,
  writeState,
} from './operations.ts';
import type { ShareRecord } from './records.ts';
import { ShareShard } from './share-shard.ts';

export interface ShareCoordinatorOptions {
  readonly log: CoordinatorLog;
  readonly clock: Clock;
  readonly logger: Logger;
  config(): BrokerConfig;
  /** The partitions of `__share_group_state`: those it has, or will have when it is created. */
  partitionCount(): number;
  /** How many partitions a topic has; null where there is no such topic. */
  partitionCountOf(topicId: string): number | null;
  /** Deletes the records of a partition of `__share_group_state` below an offset. */
  prune(partition: number, belowOffset: number): void;
}

export class ShareCoordinator implements SharePersister {
  private readonly options: ShareCoordinatorOptions;
  private readonly runtime: CoordinatorRuntime<ShareShard, ShareRecord, never>;
  private pruning: Timer;
  private snapshotting: Timer;
  /** Where each partition has been pruned to. */
  private readonly prunedTo = new Map<number, number>();
  private readonly waits: ServiceWaits;

  constructor(options: ShareCoordinatorOptions) {
    this.options = options;
    const { config, partitionCountOf, logger, log, clock } = options;
    this.runtime = new CoordinatorRuntime({
      log,
      clock,
      logger,
      commitTimeoutMs: () => config().get('share.coordinator.write.timeout.ms'),
      create: () => new ShareShard({ config, partitionCountOf }),
    });
    this.waits = new ServiceWaits(clock);
    this.pruning = this.schedulePruning();
    this.snapshotting = this.scheduleSnapshots();
  }

  /** The partition of `__share_group_state` that keeps the share partition. */
  partitionFor(groupId: string, of: TopicPartitionId): number {
    return partitionFor(coordinatorKey({ groupId, ...of }), this.options.partitionCount());
  }

  /** This node leads the partition in `epoch`: its state is loaded, and served when that is done. */
  onElected(partition: number, epoch: number): Eventually<void> {
    const loading = this.runtime.load(partition, epoch);
    if (loading instanceof Promise) return loading.then(() => this.loaded(partition));
    this.loaded(partition);
  }

  /** This node leads the partition no more. */
  onResigned(partition: number, epoch?: number): void {
    this.prunedTo.delete(partition);
    this.runtime.unload(partition, epoch);
  }

  /** The state of deleted topics goes; done when that is written. */
  onTopicsDeleted(topics: readonly { readonly id: string }[]): Eventually<unknown> {
    const ids = new Set(topics.map(({ id }) => id));
    const writing = this.active().map((partition) =>
      this.forEachState(partition, (shard, name) => forgetTopics(shard, name, ids)),
    );
    return all(writing);
  }

  /** True where the partition is served; else it comes when it is, or as false when time is up. */
  whenServed(partition: number, timeoutMs: number): true | Promise<boolean> {
    return this.runtime.isActive(partition) || this.waits.wait(partition, timeoutMs);
  }

  close(): void {
    this.pruning.cancel();
    this.snapshotting.cancel();
    this.runtime.close();
    this.waits.close();
  }

  initialize(groupId: string, partitions: readonly InitializeState[]): Eventually<PartitionResult[]> {
    const failed = failure('initialize share group state');
    return this.each(
      groupId,
      partitions,
      failed,
      (wanted) => (shard, nowMs) => initializeState(shard, groupId, wanted, nowMs),
    );
  }

  /** May write, for the epoch of the leader that reads is noted. */
  read(groupId: string, partitions: readonly ReadState[]): Eventually<ReadResult[]> {
    const base = failure('read share group state');
    const failed = (of: TopicPartitionId, code: number, reason: string) => ({
      ...base(of, code, reason),
      stateEpoch: 0,
      startOffset: 0,
      stateBatches: [],
    });
    return this.each(
      groupId,
      partitions,
      failed,
      (wanted) => (shard, nowMs) => readState(shard, groupId, wanted, nowMs),
    );
  }

  write(groupId: string, partitions: readonly WriteState[]): Eventually<PartitionResult[]> {
    const failed = failure('write share group state');
    return this.each(
      groupId,
      partitions,
      failed,
      (wanted) => (shard, nowMs) => writeState(shard, groupId, wanted, nowMs),
    );
  }

  readSummary(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<SummaryResult[]> {
    const base = failure('read share group state summary');
    const failed = (of: TopicPartitionId, code: number, reason: string) => ({
      ...base(of, code, reason),
      stateEpoch: 0,
      leaderEpoch: 0,
      startOffset: 0,
      deliveryCompleteCount: -1,
    });
    // in its turn, so that writes on their way are seen
    return this.each(
      groupId,
      partitions,
      failed,
      (wanted) => (shard) => answered(readStateSummary(shard, groupId, wanted)),
    );
  }

  delete(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<PartitionResult[]> {
    const failed = failure('delete share group state');
    return this.each(groupId, partitions, failed, (wanted) => (shard) => deleteState(shard, groupId, wanted));
  }

  private each<W extends TopicPartitionId, T>(
    groupId: string,
    partitions: readonly W[],
    failed: (of: TopicPartitionId, errorCode: number, reason: string) => T,
    operation: (wanted: W) => (shard: ShareShard, nowMs: number) => Outcome<ShareRecord, T>,
  ): Eventually<T[]> {
    return all(
      partitions.map((wanted): Eventually<T> => {
        const onError = (error: unknown) => {
          const reason = asKafkaError(error);
          return failed(wanted, this.told(reason, error), messageOf(reason));
        };
        const name = coordinatorKey({ groupId, ...wanted });
        try {
          const done = this.runtime.write(this.partitionFor(groupId, wanted), name, operation(wanted));
          return done instanceof Promise ? done.catch(onError) : done;
        } catch (error) {
          return onError(error);
        }
      }),
    );
  }

  /** The code a client is told; a fault of ours goes to the log. */
  private told(reason: KafkaError, error: unknown): number {
    if (reason.errorName === 'UNKNOWN_SERVER_ERROR') {
      this.options.logger.error({ err: error }, 'the share coordinator failed');
    }
    return coordinatorError(reason.code);
  }

  private loaded(partition: number): void {
    if (!this.runtime.isActive(partition)) return;
    this.waits.served(partition);
  }

  private active(): number[] {
    return [...this.runtime.partitions()].filter((partition) => this.runtime.isActive(partition));
  }

  private schedulePruning(): Timer {
    const { config, clock } = this.options;
    return clock.after(config().get('share.coordinator.state.topic.prune.interval.ms'), () => {
      for (const partition of this.active()) this.prunePartition(partition);
      this.pruning = this.schedulePruning();
    });
  }

  private prunePartition(partition: number): void {
    const below = this.runtime.read(partition, (shard) => shard.redundantBelow());
    if (below <= (this.prunedTo.get(partition) ?? 0)) return;
    try {
      this.options.prune(partition, below);
      this.prunedTo.set(partition, below);
    } catch (error) {
      this.options.logger.error({ err: error, partition, below }, 'the share group state could not be pruned');
    }
  }

  private scheduleSnapshots(): Timer {
    const { config, clock } = this.options;
    return clock.after(config().get('share.coordinator.cold.partition.snapshot.interval.ms'), () => {
      for (const partition of this.active()) {
        if (this.runtime.read(partition, hasUnmovedStates)) this.forEachState(partition, snapshotCold);
      }
      this.snapshotting = this.scheduleSnapshots();
    });
  }

  private forEachState(
    partition: number,
    operation: (shard: ShareShard, name: string, nowMs: number) => Outcome<ShareRecord, void>,
  ): Eventually<unknown> {
    const failed = (error: unknown) =>
      this.options.logger.error({ err: error }, 'share group state could not be written');
    const one = (name: string): Eventually<void> => {
      try {
        const done = this.runtime.write(partition, name, (shard, nowMs) => operation(shard, name, nowMs));
        return done instanceof Promise ? done.catch(failed) : done;
      } catch (error) {
        failed(error);
      }
    };
    return all(this.runtime.read(partition, (shard) => [...shard.states.keys()]).map(one));
  }
}

function failure(what: string): (of: TopicPartitionId, errorCode: number, reason: string) => PartitionResult {
  return ({ topicId, partition }, errorCode, reason) => ({
    topicId,
    partition,
    errorCode,
    errorMessage: `Unable to ${what}: ${reason}`,
  });
}
