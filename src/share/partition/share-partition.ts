import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { GroupConfig } from '../../config/group-config.ts';
import { asKafkaError } from '../../coordinator/errors.ts';
import { andThen, type Eventually } from '../../coordinator/eventually.ts';
import type { Clock, Logger, Timer } from '../../env.ts';
import type { Partition, PartitionWaiter } from '../../partition/partition.ts';
import { errorMessage } from '../error-messages.ts';
import type { PartitionResult, ReadResult, SharePersister } from '../persister.ts';
import type { SharePartitionKey } from '../share-partition-key.ts';
import type { StateBatch } from '../state-batch.ts';
import { type AcknowledgementBatch, acknowledge, release } from './acknowledge.ts';
import { type AcquiredRecords, type AcquireMode, acquire } from './acquire.ts';
import type { Transition } from './delivery.ts';
import { abortedBatches, batchesOf, sliceOf } from './fetched-batches.ts';
import { type DeliveryLimits, ShareRecords } from './share-records.ts';
import { startOffset } from './start-offset.ts';

export interface SharePartitionOptions {
  readonly key: SharePartitionKey;
  readonly partition: Partition;
  readonly persister: SharePersister;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The group's configuration at the moment. */
  config(): GroupConfig;
  /** The state is somebody else's now, or gone: whoever wants the share partition has to load it anew. */
  onFenced(): void;
}

/** What a member asks of one share partition. */
export interface Wanted {
  readonly memberId: string;
  readonly mode: AcquireMode;
  readonly batchSize: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** The first batch is read even where it is larger. */
  readonly minOneBatch: boolean;
}

/** What it gets: the batches that hold the acquired records. */
export interface Delivered {
  readonly records: Buffer;
  readonly acquired: readonly AcquiredRecords[];
}

const NOTHING: Delivered = { records: Buffer.alloc(0), acquired: [] };
const READ_COMMITTED = 'read_committed';
/** The log is read in pieces of this size until there are records enough. */
const PIECE_BYTES = 256 * 1024;

/**
 * One share partition on the leader of the partition: `ShareRecords` decides, and here its decisions meet the log, the share
 * coordinator and the clock. Whatever a member is told has been written before.
 */
export class SharePartition {
  readonly key: SharePartitionKey;
  readonly partition: Partition;
  /** Of the partition when this was made; under another one it is to be made anew. */
  readonly leaderEpoch: number;
  private readonly options: SharePartitionOptions;
  private readonly waiters = new Set<PartitionWaiter>();
  private records: ShareRecords | null = null;
  private loading: Promise<void> | null = null;
  private stateEpoch = 0;
  private lockTimer: { readonly timer: Timer; readonly atMs: number } | null = null;
  private fenced = false;

  constructor(options: SharePartitionOptions) {
    this.options = options;
    this.key = options.key;
    this.partition = options.partition;
    this.leaderEpoch = options.partition.leaderEpoch;
  }

  get isActive(): boolean {
    return this.records !== null && !this.fenced;
  }

  /** The share-partition start offset; null while it is not known. */
  get startOffset(): number | null {
    return this.records?.startOffset ?? null;
  }

  /** Loads the state where that has not happened; at once where it can. Throws or rejects with KafkaError. */
  load(): Eventually<void> {
    if (this.records !== null) return;
    if (this.loading !== null) return this.loading;
    const { topicId, partition, groupId } = this.key;
    const reading = this.options.persister.read(groupId, [{ topicId, partition, leaderEpoch: this.leaderEpoch }]);
    if (!(reading instanceof Promise)) return this.loaded(reading[0]);
    this.loading = reading.then(
      ([result]) => this.loaded(result),
      (error) => {
        throw asKafkaError(error);
      },
    );
    return this.loading;
  }

  private loaded(result: ReadResult): void {
    if (result.errorCode !== 0) throw persisterError(result);
    const { partition, clock, config } = this.options;
    const begin =
      result.startOffset === -1
        ? startOffset(partition, config().get('share.auto.offset.reset'), clock.nowMs())
        : result.startOffset;
    this.stateEpoch = result.stateEpoch;
    try {
      this.records = ShareRecords.restore(begin, result.stateBatches);
    } catch (err) {
      this.options.logger.error({ err, ...this.key }, 'the state of a share partition cannot be used');
      throw new KafkaError('UNKNOWN_SERVER_ERROR', `Failed to initialize the share partition ${this.name}`);
    }
    this.wakeWaiters();
  }

  /** Whether a member may get anything, for which a fetch has to wait. */
  canAcquire(): boolean {
    return this.isActive && (this.records as ShareRecords).canAcquire(this.limits());
  }

  /** Bytes that the next fetch could read. */
  availableBytes(): number {
    if (this.records === null) return 0;
    this.followLogStart(this.records);
    const { log } = this.partition;
    const offset = this.records.nextFetchOffset();
    return offset > log.logEndOffset ? 0 : log.bytesBetween(offset, this.visibleUpTo());
  }

  /** Reads the log and hands out what the member may have. Throws LogError where the log cannot be read. */
  fetch(wanted: Wanted): Delivered {
    const { records } = this;
    if (records === null || !this.isActive || wanted.maxRecords <= 0) return NOTHING;
    this.followLogStart(records);
    const fetchOffset = records.nextFetchOffset();
    const bytes = this.read(records, fetchOffset, wanted);
    const batches = batchesOf(bytes);
    if (batches.length === 0) return NOTHING;
    const request = { ...wanted, fetchOffset, batches, aborted: this.aborted(bytes, batches) };
    const acquired = acquire(records, request, this.limits(), this.options.clock.monotonicMs());
    this.scheduleLocks();
    if (acquired.length === 0) return NOTHING;
    const { lastOffset } = acquired[acquired.length - 1];
    return { records: sliceOf(bytes, batches, acquired[0].firstOffset, lastOffset), acquired };
  }

  /** Null when it is done, else why not. Answered when it has been written. */
  acknowledge(memberId: string, batches: readonly AcknowledgementBatch[]): Eventually<KafkaError | null> {
    return this.change((records, by) => acknowledge(records, by, batches), memberId);
  }

  /** The member is gone: others may have what it had. */
  release(memberId: string): Eventually<KafkaError | null> {
    return this.change((records, by) => release(records, by), memberId);
  }

  /** From now on nobody gets anything here. */
  close(): void {
    this.fenced = true;
    this.lockTimer?.timer.cancel();
    this.lockTimer = null;
    this.wakeWaiters();
  }

  addWaiter(waiter: PartitionWaiter): void {
    this.waiters.add(waiter);
  }
  removeWaiter(waiter: PartitionWaiter): void {
    this.waiters.delete(waiter);
  }

  private get name(): string {
    return `${this.key.groupId}-${this.partition.topic}-${this.partition.index}`;
  }

  private limits(): DeliveryLimits {
    const config = this.options.config();
    return {
      deliveryCount: config.get('share.delivery.count.limit'),
      maxRecordLocks: config.get('share.partition.max.record.locks'),
      lockDurationMs: config.get('share.record.lock.duration.ms'),
      isRenewEnabled: config.get('share.renew.acknowledge.enable'),
    };
  }

  private get readsCommitted(): boolean {
    return this.options.config().get('share.isolation.level') === READ_COMMITTED;
  }

  private visibleUpTo(): number {
    return this.readsCommitted ? this.partition.lastStableOffset : this.partition.highWatermark;
  }

  private followLogStart(records: ShareRecords): void {
    const { logStartOffset } = this.partition;
    if (records.nextFetchOffset() < logStartOffset) records.moveToLogStart(logStartOffset);
  }

  /** Batches from the offset on, no more than it takes for the records that the member wants. */
  private read(records: ShareRecords, fetchOffset: number, wanted: Wanted): Buffer {
    const { log } = this.partition;
    const { maxBytes, maxRecords } = wanted;
    const upTo = this.visibleUpTo();
    const enough = Math.max(fetchOffset, records.endOffset + 1) + maxRecords;
    const pieces: Buffer[] = [];
    let sizeBytes = 0;
    for (let next = fetchOffset; next < Math.min(upTo, enough); ) {
      const leftBytes = Math.min(PIECE_BYTES, maxBytes - sizeBytes);
      const piece = log.read(next, leftBytes, { upTo, minOneBatch: wanted.minOneBatch && pieces.length === 0 }).records;
      if (piece.length === 0) break;
      pieces.push(piece);
      sizeBytes += piece.length;
      next = (batchesOf(piece).at(-1)?.lastOffset ?? upTo) + 1;
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  private aborted(bytes: Buffer, batches: ReturnType<typeof batchesOf>) {
    if (!this.readsCommitted) return [];
    const upTo = batches[batches.length - 1].lastOffset + 1;
    return abortedBatches(bytes, batches, this.partition.log.abortedTransactions(batches[0].baseOffset, upTo));
  }

  private change(
    begin: (records: ShareRecords, by: { memberId: string; limits: DeliveryLimits; nowMs: number }) => Transition,
    memberId: string,
  ): Eventually<KafkaError | null> {
    const { records } = this;
    if (records === null || this.fenced) {
      return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', errorMessage('UNKNOWN_TOPIC_OR_PARTITION'));
    }
    let transition: Transition;
    try {
      transition = begin(records, { memberId, limits: this.limits(), nowMs: this.options.clock.monotonicMs() });
    } catch (error) {
      return asKafkaError(error);
    }
    this.scheduleLocks();
    if (transition.isEmpty) return null;
    return andThen(this.write(records, transition.stateBatches), (error) => {
      if (error === null) records.commit(transition);
      else records.rollBack(transition, this.options.clock.monotonicMs(), this.limits());
      this.scheduleLocks();
      this.wakeWaiters();
      return error;
    });
  }

  /** Null when it is written. */
  private write(records: ShareRecords, stateBatches: readonly StateBatch[]): Eventually<KafkaError | null> {
    const { groupId, topicId, partition } = this.key;
    const { leaderEpoch, stateEpoch } = this;
    const { startOffset: from, deliveryCompleteCount } = records;
    const wanted = {
      topicId,
      partition,
      leaderEpoch,
      stateEpoch,
      startOffset: from,
      deliveryCompleteCount,
      stateBatches,
    };
    const done = ([result]: PartitionResult[]) =>
      result.errorCode === 0 ? null : this.notWritten(persisterError(result));
    try {
      const writing = this.options.persister.write(groupId, [wanted]);
      if (!(writing instanceof Promise)) return done(writing);
      return writing.then(done, (error) => this.notWritten(asKafkaError(error)));
    } catch (error) {
      return this.notWritten(asKafkaError(error));
    }
  }

  private notWritten(error: KafkaError): KafkaError {
    this.options.logger.warn({ ...this.key, err: error }, 'the state of a share partition could not be written');
    if (FENCING.has(error.code)) this.options.onFenced();
    return error;
  }

  /** Sees to it that the locks are looked at when the next one may be over. */
  private scheduleLocks(): void {
    const atMs = this.records?.nextExpiryMs ?? null;
    if (atMs === null || this.fenced || (this.lockTimer !== null && this.lockTimer.atMs <= atMs)) return;
    this.lockTimer?.timer.cancel();
    const { clock } = this.options;
    const delayMs = Math.max(0, atMs - clock.monotonicMs());
    this.lockTimer = { timer: clock.after(delayMs, () => this.expireLocks()), atMs };
  }

  private expireLocks(): void {
    this.lockTimer = null;
    const records = this.records as ShareRecords;
    const expired = records.expireLocks(this.options.clock.monotonicMs(), this.limits());
    this.scheduleLocks();
    if (expired.length === 0) return;
    this.wakeWaiters();
    const writing = andThen(this.write(records, expired), () => {
      records.moveStart();
      this.wakeWaiters();
    });
    if (writing instanceof Promise) {
      writing.catch((err) => this.options.logger.error({ ...this.key, err }, 'locks could not be taken back'));
    }
  }

  private wakeWaiters(): void {
    for (const waiter of this.waiters) waiter.wake();
  }
}

/** After one of these the state here is not what the coordinator has. */
const FENCING: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_STATE_EPOCH,
  ErrorCode.GROUP_ID_NOT_FOUND,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
]);

/** What a member is told where the share coordinator refuses: it knows leaders, and nothing of share coordinators. */
function persisterError({ errorCode, errorMessage: reason }: PartitionResult): KafkaError {
  const message = reason ?? undefined;
  switch (errorCode) {
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return new KafkaError('COORDINATOR_NOT_AVAILABLE', message);
    case ErrorCode.GROUP_ID_NOT_FOUND:
      return new KafkaError('GROUP_ID_NOT_FOUND', message);
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', message);
    case ErrorCode.FENCED_LEADER_EPOCH:
    case ErrorCode.FENCED_STATE_EPOCH:
      return new KafkaError('NOT_LEADER_OR_FOLLOWER', message);
    default:
      return new KafkaError('UNKNOWN_SERVER_ERROR', message);
  }
}
