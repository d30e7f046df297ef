import * as batch from '../../protocol/records/batch.ts';
import { checkProducedBatch } from '../../protocol/records/check.ts';
import { DiskError, type Log, LogError, type TransactionChecks, type VerificationGuard } from '../../storage/index.ts';
import type { TopicConfig } from '../config/topic-config.ts';
import { AppendError, type AppendedBatch } from './append-result.ts';
import { GroupCommit } from './group-commit.ts';
import { prepareForTopic } from './prepare.ts';

/** Something that waits for a partition to move: a fetch in its long poll. */
export interface PartitionWaiter {
  /** The high watermark or the log start offset has moved. Must not throw and not append. */
  wake(): void;
}

export interface PartitionState {
  leader: number;
  leaderEpoch: number;
  replicas: readonly number[];
  isr: readonly number[];
  /** Directory ids, one a replica (KIP-858). */
  directories: readonly string[];
}

/**
 * A replica of one partition on this node, and, where it leads, what clients see of it. With a single replica an append is committed at
 * once, or, where flush.messages asks for it, with the next flush (`GroupCommit`).
 */
export class Partition {
  readonly topic: string;
  readonly topicId: string;
  readonly index: number;
  log: Log;
  config: TopicConfig;
  state: PartitionState;
  private commits: GroupCommit;
  private readonly waiters = new Set<PartitionWaiter>();
  private deleted = false;
  private offline = false;

  constructor(options: {
    topic: string;
    topicId: string;
    index: number;
    log: Log;
    config: TopicConfig;
    state: PartitionState;
  }) {
    this.topic = options.topic;
    this.topicId = options.topicId;
    this.index = options.index;
    this.log = options.log;
    this.config = options.config;
    this.state = options.state;
    this.commits = new GroupCommit(options.log, () => this.advanced());
    this.log.onHighWatermark(this.highWatermark);
  }

  get leaderEpoch(): number {
    return this.state.leaderEpoch;
  }
  /** The offset below which records are committed: consumers see no further. */
  get highWatermark(): number {
    return this.commits.highWatermark;
  }
  /** Below it no transaction is open: what read_committed may see (KIP-98). */
  get lastStableOffset(): number {
    const unstable = this.log.firstUnstableOffset;
    return unstable === null ? this.highWatermark : Math.min(unstable, this.highWatermark);
  }
  get logStartOffset(): number {
    return this.log.logStartOffset;
  }
  get isDeleted(): boolean {
    return this.deleted;
  }
  /** Its log directory has failed: nothing can be read or written before the next start. */
  get isOffline(): boolean {
    return this.offline;
  }

  /**
   * Appends what a client sent: checked, then stamped with offsets in place. `produceVersion` is that of the Produce
   * request, `checks` what is to be known of its transaction. Throws AppendError with Kafka's error for the partition.
   */
  append(records: Buffer | null, produceVersion: number, nowMs: number, checks?: TransactionChecks): AppendedBatch {
    const problem = checkProducedBatch(records, produceVersion, this.config.maxMessageBytes);
    if (problem !== null) throw new AppendError(problem.error, problem.message, problem);
    const sent = records as Buffer;
    const whole = sent.length === batch.sizeBytes(sent, 0) ? sent : sent.subarray(0, batch.sizeBytes(sent, 0));
    return this.appendChecked(prepareForTopic(whole, this, nowMs), 'client', checks);
  }

  /** Appends a batch that this node made itself: a coordinator's records or a transaction marker. */
  appendAsCoordinator(batches: Buffer, checks?: TransactionChecks): AppendedBatch {
    return this.appendChecked(batches, 'coordinator', checks);
  }

  /** As Log.startVerification; throws AppendError. */
  startVerification(
    producerId: number,
    sequence: number,
    epoch: number,
    raisesEpoch: boolean,
  ): VerificationGuard | null {
    this.checkOnline();
    try {
      return this.log.startVerification(producerId, sequence, epoch, raisesEpoch);
    } catch (error) {
      throw asAppendError(error);
    }
  }

  private appendChecked(
    batches: Buffer,
    origin: 'client' | 'coordinator',
    checks: TransactionChecks | undefined,
  ): AppendedBatch {
    if (this.deleted) throw new AppendError('UNKNOWN_TOPIC_OR_PARTITION', 'the topic has been deleted');
    this.checkOnline();
    const appended = this.write(batches, origin, checks);
    if (!appended.duplicate && this.commits.appended(appended.firstOffset)) this.advanced();
    return appended;
  }

  /** When the records below `endOffset` are committed; null when they are. Rejects with AppendError. */
  whenCommitted(endOffset: number): Promise<void> | null {
    const committed = this.commits.whenCommitted(endOffset);
    return (
      committed?.catch((error) => {
        throw asAppendError(error);
      }) ?? null
    );
  }

  /** The high watermark has moved. */
  private advanced(): void {
    this.log.onHighWatermark(this.highWatermark);
    this.wakeWaiters();
  }

  private write(
    batches: Buffer,
    origin: 'client' | 'coordinator',
    checks: TransactionChecks | undefined,
  ): AppendedBatch {
    try {
      return this.log.appendAsLeader(batches, this.state.leaderEpoch, origin, checks);
    } catch (error) {
      throw asAppendError(error);
    }
  }

  /** DeleteRecords: moves the log start up to `offset`; -1 means the high watermark. Returns the new log start offset. */
  deleteRecordsBefore(offset: number): number {
    this.checkOnline();
    const upTo = offset === -1 ? this.highWatermark : offset;
    if (upTo < 0 || upTo > this.highWatermark) {
      throw new AppendError(
        'OFFSET_OUT_OF_RANGE',
        `${upTo} is not between 0 and the high watermark ${this.highWatermark}`,
      );
    }
    this.log.advanceLogStartOffset(upTo);
    this.wakeWaiters();
    return this.logStartOffset;
  }

  /** The topic is gone: waiting fetches learn it now, later appends are refused. */
  markDeleted(): void {
    this.deleted = true;
    this.wakeWaiters();
  }

  /** The log directory has failed: waiting fetches learn it now. */
  markOffline(): void {
    this.offline = true;
    this.wakeWaiters();
  }

  private checkOnline(): void {
    if (!this.offline) return;
    throw new AppendError('KAFKA_STORAGE_ERROR', `the log directory of ${this.topic}-${this.index} is offline`);
  }

  /** True while no append waits for its flush: the log may be replaced. */
  get isSettled(): boolean {
    return this.commits.isSettled;
  }

  /** Goes on with `log`, which holds all that was acknowledged of this partition. */
  replaceLog(log: Log): void {
    this.log = log;
    this.commits = new GroupCommit(log, () => this.advanced());
    this.advanced();
  }

  addWaiter(waiter: PartitionWaiter): void {
    this.waiters.add(waiter);
  }
  removeWaiter(waiter: PartitionWaiter): void {
    this.waiters.delete(waiter);
  }

  private wakeWaiters(): void {
    if (this.waiters.size === 0) return;
    for (const waiter of this.waiters) waiter.wake();
  }
}

/** Kafka's error for what storage refused; what is no refusal stays as it is. */
function asAppendError(error: unknown): unknown {
  if (error instanceof DiskError) return new AppendError('KAFKA_STORAGE_ERROR', error.message);
  if (!(error instanceof LogError) || error.code === 'UNEXPECTED_APPEND_OFFSET') return error;
  return new AppendError(error.code, error.message);
}
