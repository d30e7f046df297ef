/**
 * The log of one partition: batches in segments, with what is derived from them (indexes, producers, leader epochs).
 *
 *   logStartOffset <= recoveryPoint' <= logEndOffset     recoveryPoint' = max(recoveryPoint, logStartOffset)
 *
 * Below the recovery point bytes are on disk for good; up to the log end they are in the page cache. All calls are synchronous but
 * `flush`, `closeDurably` and `replaceSegments`: appends and reads work on the page cache (DESIGN decision 4).
 */
import { baseOffset, leaderEpoch, maxTimestamp, sizeBytes } from '../protocol/records/batch.ts';
import { assignOffsets, checkOffsets } from './assign-offsets.ts';
import { abandon, close, closeDurably } from './closing.ts';
import { advanceLogStartOffset, deleteOldSegments } from './deletion.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import { LogError } from './log-error.ts';
import { type AppendResult, type LogOptions, topicIdOf } from './log-options.ts';
import { LogState } from './log-state.ts';
import { SILENT_LOGGER } from './logger.ts';
import { MAX_RELATIVE_OFFSET } from './offset-index.ts';
import type { ProducerBatch, ProducerEntry } from './producer-entry.ts';
import type { AppendOrigin, CompletedTransaction, TransactionChecks } from './producer-state.ts';
import type { ActiveProducer } from './producer-tracker.ts';
import { type BatchRange, type FileSlice, NO_RECORDS, type ReadOptions, readRange, sliceRange } from './reading.ts';
import { loadLog } from './recovery.ts';
import { replaceSegments } from './replacement.ts';
import { LogResources } from './resources.ts';
import type { Segment } from './segment.ts';
import type { AbortedTransaction } from './segment-list.ts';
import { noteAborted } from './segment-recovery.ts';
import { findByTimestamp, findMaxTimestamp, type OffsetAndTimestamp } from './timestamps.ts';
import { truncateFullyAndStartAt, truncateTo } from './truncation.ts';
import type { VerificationGuard } from './verification.ts';

export class Log {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string | null;
  readonly dir: string;
  readonly #state: LogState;

  static open(options: LogOptions): Log {
    const resources = options.resources ?? new LogResources(options.disk);
    resources.disk.makeDir(options.dir);
    const loaded = loadLog({
      resources,
      dir: options.dir,
      config: options.config,
      nowMs: options.clock.nowMs(),
      recoveryPoint: options.recoveryPoint ?? 0,
      logStartOffset: options.logStartOffset ?? 0,
      cleanedUpTo: options.cleanedUpTo ?? null,
      clean: options.clean,
      vouched: options.vouched ?? false,
      checkAll: options.checkAll ?? false,
      cutsTailOnly: options.cutsTailOnly ?? false,
      checkedFiles: options.checkedFiles ?? new Map(),
      rewrite: options.rewrite ?? false,
      logger: options.logger ?? SILENT_LOGGER,
    });
    const topicId = topicIdOf(options, loaded.hasTopicIdFile);
    const state = new LogState(options, resources, loaded);
    state.segments.active.prepareFile();
    return new Log(options, state, topicId);
  }

  private constructor(options: LogOptions, state: LogState, topicId: string | null) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.topicId = topicId;
    this.dir = options.dir;
    this.#state = state;
  }

  get config(): LogConfig {
    return this.#state.config;
  }

  updateConfig(config: LogConfig): void {
    this.#state.config = config;
  }

  get logStartOffset(): number {
    return this.#state.logStartOffset;
  }

  get logEndOffset(): number {
    return this.#state.logEndOffset;
  }

  /** All below is durable. */
  get recoveryPoint(): number {
    return this.#state.durability.recoveryPoint;
  }

  /** Why the log takes no more appends until it is opened anew; null while it does. */
  get failure(): LogError | null {
    return this.#state.durability.failure;
  }

  /** When the recovery point was last moved, or the log opened. */
  get lastFlushMs(): number {
    return this.#state.durability.lastFlushMs;
  }

  /** In order; the last one takes the appends. */
  get segments(): readonly Segment[] {
    return this.#state.segments.all;
  }

  /** Of the .log files. */
  get sizeBytes(): number {
    return this.#state.segments.sizeBytes;
  }

  // Leader epochs

  /** The epoch of the newest record or assignment; -1 when there is none. */
  get latestEpoch(): number {
    return this.#state.epochs.latest;
  }

  /** Notes that a leader begins `epoch` at the log end (Kafka: on becoming leader). */
  assignEpoch(epoch: number): void {
    this.#state.epochs.assign(epoch, this.#state.logEndOffset);
  }

  /** The epoch of the record at `offset`; -1 when unknown. */
  epochForOffset(offset: number): number {
    return this.#state.epochs.epochForOffset(offset);
  }

  /** For OffsetForLeaderEpoch: where `epoch` ended, and the epoch that this holds for; -1 and -1 when unknown. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#state.epochs.endOffsetFor(epoch, this.#state.logEndOffset);
  }

  // Producers and transactions

  /** Start of the first transaction that is open, or whose marker lies at or above the high watermark. */
  get firstUnstableOffset(): number | null {
    const first = this.#state.producers.state.firstUnstableOffset;
    return first === null ? null : Math.max(first, this.#state.logStartOffset);
  }

  /** Keeps transactions unstable until their marker is below the high watermark; cheap to call after each append. */
  onHighWatermark(highWatermark: number): void {
    this.#state.producers.onHighWatermark(highWatermark);
  }

  hasOngoingTransaction(producerId: number): boolean {
    return this.#state.producers.state.hasOpenTransaction(producerId);
  }

  /**
   * Before a producer's first batch of a transaction here (KIP-890): what the append of it is to be given, or null where the
   * transaction has begun already. Throws LogError.
   */
  startVerification(
    producerId: number,
    sequence: number,
    epoch: number,
    raisesEpoch: boolean,
  ): VerificationGuard | null {
    const log = this.#state;
    return log.producers.state.startVerification(producerId, sequence, epoch, raisesEpoch, log.nowMs());
  }

  /** For DescribeProducers (KIP-664). */
  producers(): ActiveProducer[] {
    return this.#state.producers.describeProducers();
  }

  /** Forgets producers idle for longer than producer.id.expiration.ms. */
  removeExpiredProducers(nowMs: number): void {
    this.#state.producers.stateIfLoaded?.removeExpired(nowMs, this.#state.config.producerIdExpirationMs);
  }

  /** Aborted transactions with records in [fromOffset, upTo), for a read_committed fetch. Throws LogError where the files do not tell. */
  abortedTransactions(fromOffset: number, upTo: number): AbortedTransaction[] {
    try {
      return this.#state.segments.abortedTransactions(fromOffset, upTo);
    } catch (cause) {
      throw this.#state.storageError('read', cause);
    }
  }

  // Appends

  /**
   * Appends one or more whole v2 batches, which the caller has checked (length, magic, attributes, CRC). Offsets, `epoch` (the
   * leader's) and, with LogAppendTime, the timestamp are set in the buffer itself. Throws LogError and leaves the log as it
   * was when the producer state does not allow them or the disk fails.
   */
  appendAsLeader(
    batches: Buffer,
    epoch: number,
    origin: AppendOrigin = 'client',
    checks: TransactionChecks = {},
  ): AppendResult {
    const log = this.#state;
    log.checkUsable();
    const first = log.logEndOffset;
    const logAppendTimeMs = log.config.messageTimestampType === 'LogAppendTime' ? log.nowMs() : -1;
    const next = assignOffsets(batches, first, epoch, logAppendTimeMs);
    const duplicate = log.producers.state.check(batches, origin, checks);
    if (duplicate !== null) return this.#duplicateOf(duplicate);
    const epochs = this.#epochsForAppend();
    this.#append(batches, first, next);
    if (epoch >= 0) epochs.assign(epoch, first);
    const { logStartOffset } = log;
    return { firstOffset: first, lastOffset: next - 1, logAppendTimeMs, logStartOffset, duplicate: false };
  }

  #duplicateOf(batch: ProducerBatch): AppendResult {
    return {
      firstOffset: batch.lastOffset - batch.offsetDelta,
      lastOffset: batch.lastOffset,
      logAppendTimeMs: batch.timestampMs,
      logStartOffset: this.#state.logStartOffset,
      duplicate: true,
    };
  }

  /** Appends batches fetched from the leader, with its offsets and epochs. They must begin at or above the log end and rise. */
  appendAsFollower(batches: Buffer): void {
    this.#state.checkUsable();
    const next = checkOffsets(batches, this.#state.logEndOffset);
    const epochs = this.#epochsForAppend();
    this.#append(batches, baseOffset(batches, 0), next);
    for (let at = 0; at < batches.length; at += sizeBytes(batches, at)) {
      if (leaderEpoch(batches, at) >= 0) epochs.assign(leaderEpoch(batches, at), baseOffset(batches, at));
    }
  }

  /** Before an append: what cannot be read must not fail it half-way. */
  #epochsForAppend(): LeaderEpochs {
    try {
      return this.#state.epochs;
    } catch (cause) {
      throw this.#state.storageError('append', cause);
    }
  }

  #append(batches: Buffer, first: number, next: number): void {
    const log = this.#state;
    const { config, segments } = log;
    if (batches.length > config.segmentBytes) {
      const text = `${batches.length} bytes in one append; a segment holds ${config.segmentBytes}`;
      throw new LogError('RECORD_LIST_TOO_LARGE', text);
    }
    const producers = log.producers.state;
    let position = -1;
    try {
      this.#rollIfNeeded(batches, next);
      position = segments.active.sizeBytes;
      segments.append(batches, first, config.indexIntervalBytes);
      log.logEndOffset = next;
      producers.update(batches, this.#onCompleted);
    } catch (cause) {
      // With the batches in the file but not in all that is derived from it, only a recovery can go on.
      const isHalfDone = position >= 0 && segments.active.sizeBytes !== position;
      throw isHalfDone ? log.durability.fail(cause, 'append') : log.storageError('append', cause);
    }
  }

  readonly #onCompleted = (transaction: CompletedTransaction): void =>
    noteAborted(this.#state.segments.active, transaction);

  #rollIfNeeded(batches: Buffer, next: number): void {
    const log = this.#state;
    const bytes = batches.length;
    let timestamp = maxTimestamp(batches, 0);
    for (let at = sizeBytes(batches, 0); at < bytes; at += sizeBytes(batches, at)) {
      timestamp = Math.max(timestamp, maxTimestamp(batches, at));
    }
    if (!log.segments.active.shouldRoll(log.config, bytes, timestamp, next - 1, log.nowMs)) return;
    // At the log end, wherever it goes on: a gap between two segments is the mark of a loss.
    log.roll(Math.max(log.logEndOffset, next - 1 - MAX_RELATIVE_OFFSET));
  }

  // Reads

  /**
   * Whole batches, from the one that holds `offset` (or the next one after it) on. The result ends with its segment, at
   * `upTo`, or at `maxBytes`; it may be a view of memory that the log keeps, so it must not be changed. Throws
   * OFFSET_OUT_OF_RANGE.
   */
  read(offset: number, maxBytes: number, options: ReadOptions): { records: Buffer } {
    return { records: this.#reading(offset, maxBytes, options, readRange) };
  }

  /** As `read`; many bytes that only the file has are read when they are sent. All offsets are below `endOffset`. */
  slice(offset: number, maxBytes: number, options: ReadOptions): { records: Buffer | FileSlice; endOffset: number } {
    let endOffset = offset;
    const records = this.#reading(offset, maxBytes, options, (range) => {
      endOffset = range.endOffset;
      return sliceRange(range);
    });
    return { records, endOffset };
  }

  #reading<T>(offset: number, maxBytes: number, options: ReadOptions, take: (range: BatchRange) => T): T | Buffer {
    const logEndOffset = this.#state.logEndOffset;
    if (offset < this.#state.logStartOffset || offset > logEndOffset) {
      const text = `offset ${offset} of ${this.dir} is not in ${this.#state.logStartOffset} to ${logEndOffset}`;
      throw new LogError('OFFSET_OUT_OF_RANGE', text);
    }
    const upTo = Math.min(options.upTo, logEndOffset);
    if (offset >= upTo) {
      if (offset === logEndOffset) this.#state.segments.wantTail();
      return NO_RECORDS;
    }
    try {
      const range = this.#state.segments.find(offset, upTo, logEndOffset, maxBytes, options);
      return range === null ? NO_RECORDS : take(range);
    } catch (cause) {
      throw this.#state.storageError('read', cause);
    }
  }

  /** Bytes of batches in [fromOffset, upTo), for fetch.min.bytes. */
  bytesBetween(fromOffset: number, upTo: number): number {
    return this.#state.segments.bytesBetween(fromOffset, Math.min(upTo, this.#state.logEndOffset));
  }

  /** The first record with this timestamp or a later one, for ListOffsets; null when there is none. */
  offsetForTimestamp(timestampMs: number): OffsetAndTimestamp | null {
    return findByTimestamp(this.#state.segments.all, timestampMs, this.#state.logStartOffset);
  }

  /** The first record with the largest timestamp (KIP-734); null in a log without timestamps. */
  maxTimestamp(): OffsetAndTimestamp | null {
    return findMaxTimestamp(this.#state.segments.all);
  }

  // Compaction (compaction/compact.ts)

  /**
   * While a replica of it is being made in another directory. A tombstone that went meanwhile would be missing there, where what it
   * deletes may have been copied already.
   */
  isCleaningPaused = false;

  /** All below has been compacted (cleaner-offset-checkpoint); null: it never was. */
  get cleanedUpTo(): number | null {
    return this.#state.cleanedUpTo;
  }

  set cleanedUpTo(offset: number | null) {
    this.#state.cleanedUpTo = offset;
  }

  /** Removes the .cleaned files that a compaction has left at `baseOffset`. */
  removeCleaned(baseOffset: number): void {
    this.#state.segments.removeCleaned(baseOffset);
  }

  /** Whether `segments` may still be replaced: cleaning goes on, and they stand in the log as they were when it had been truncated `truncations` times. */
  canReplace(segments: readonly Segment[], truncations: number): boolean {
    const { isClosed } = this.#state;
    return (
      !isClosed &&
      !this.isCleaningPaused &&
      this.truncations === truncations &&
      this.#state.segments.holdsInactive(segments)
    );
  }

  /** How often the log has lost records at its end. */
  get truncations(): number {
    return this.#state.durability.truncations;
  }

  /** By producer id. */
  get producerEntries(): ReadonlyMap<number, ProducerEntry> {
    return this.#state.producers.state.entries;
  }

  /**
   * Puts the .cleaned files of the first one's base offset, which are durable, in the place of `old`, which `canReplace`. A crash on the way
   * leaves the old content or the new one (interrupted-swap.ts), and so does a failure: the log goes on with either.
   */
  replaceSegments(old: readonly Segment[]): Promise<void> {
    return replaceSegments(this.#state, old);
  }

  // Deletion and truncation

  /**
   * DeleteRecords: records below `offset` are gone for readers; `deleteOldSegments` removes their files. False when they
   * were gone already.
   */
  advanceLogStartOffset(offset: number): boolean {
    return advanceLogStartOffset(this.#state, offset);
  }

  /** Removes segments by retention.ms, retention.bytes and the log start; gives their number. */
  deleteOldSegments(nowMs: number, highWatermark: number): number {
    return deleteOldSegments(this.#state, nowMs, highWatermark);
  }

  /** Drops the batch that holds `offset` and all after it. False when the log ends there or before. */
  truncateTo(offset: number): boolean {
    return truncateTo(this.#state, offset);
  }

  /** Empties the log, which goes on at `offset`. */
  truncateFullyAndStartAt(offset: number, logStartOffset: number = offset): void {
    truncateFullyAndStartAt(this.#state, offset, logStartOffset);
  }

  // Durability

  /** flush.messages asks for a flush now: its caller waits with the acknowledgement until then. */
  get isFlushDue(): boolean {
    const { logEndOffset, durability, config } = this.#state;
    return logEndOffset - durability.recoveryPoint >= config.flushMessages;
  }

  /** Makes all below `upTo` durable (fdatasync) and moves the recovery point there. */
  flush(upTo: number = this.#state.logEndOffset): Promise<void> {
    return this.#state.durability.flush(upTo);
  }

  /** As `flush`, at once. */
  flushSync(): void {
    this.#state.durability.flushSync(this.#state.logEndOffset);
  }

  /** Closes in an orderly way, so that the next start need not scan. Nothing is made durable: see `closeDurably`. */
  close(): void {
    close(this.#state);
  }

  /** As `close`, and what the log consists of is on disk for good. */
  closeDurably(): Promise<void> {
    return closeDurably(this.#state);
  }

  /** Lets go of the files and leaves them as they are: the log is deleted, or the disk has failed. */
  abandon(): void {
    abandon(this.#state);
  }
}
