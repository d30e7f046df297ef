/**
 * The log of one partition: batches in segments, with what is derived from them (indexes, producers, leader epochs).
 *
 *   logStartOffset <= recoveryPoint' <= logEndOffset     recoveryPoint' = max(recoveryPoint, logStartOffset)
 *
 * Below the recovery point bytes are on disk for good; up to the log end they are in the page cache. All calls are synchronous but
 * `flush` and `closeDurably`: appends and reads work on the page cache (DESIGN decision 4).
 */
import { baseOffset, leaderEpoch, maxTimestamp, sizeBytes } from '../protocol/records/batch.ts';
import { assignOffsets, checkOffsets } from './assign-offsets.ts';
import { replaceFile } from './checkpoints.ts';
import { DiskError } from './disk.ts';
import { Durability } from './durability.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import { LogError } from './log-error.ts';
import { type AppendResult, type LogOptions, type StorageClock, topicIdOf } from './log-options.ts';
import { SILENT_LOGGER, type StorageLogger } from './logger.ts';
import { CLEANED_SUFFIX, SWAP_SUFFIX } from './names.ts';
import { MAX_RELATIVE_OFFSET } from './offset-index.ts';
import type { ProducerBatch, ProducerEntry } from './producer-entry.ts';
import type { AppendOrigin, CompletedTransaction } from './producer-state.ts';
import { type ActiveProducer, ProducerTracker } from './producer-tracker.ts';
import { type BatchRange, type FileSlice, NO_RECORDS, type ReadOptions, readRange, sliceRange } from './reading.ts';
import { type LoadedLog, loadLog } from './recovery.ts';
import { LogResources } from './resources.ts';
import { countDeletable } from './retention.ts';
import type { Segment } from './segment.ts';
import { type AbortedTransaction, SegmentList } from './segment-list.ts';
import { noteAborted } from './segment-recovery.ts';
import { findByTimestamp, findMaxTimestamp, type OffsetAndTimestamp } from './timestamps.ts';

export class Log {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string | null;
  readonly dir: string;
  readonly #resources: LogResources;
  readonly #clock: StorageClock;
  readonly #logger: StorageLogger;
  readonly #onDiskError: ((error: DiskError) => void) | undefined;
  #config: LogConfig;
  readonly #segments: SegmentList;
  #logStartOffset: number;
  #logEndOffset: number;
  readonly #durability: Durability;
  readonly #producers: ProducerTracker;
  /** Read when first needed: most partitions are idle. */
  #epochs: LeaderEpochs | null;
  readonly #hasEpochFile: boolean;
  #closed = false;
  /** All below has been compacted (cleaner-offset-checkpoint); null: it never was. */
  cleanedUpTo: number | null;
  #beforeFirstChange: (() => void) | null;
  readonly #recoveryPointChanged: () => void;

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
      rewrite: options.rewrite ?? false,
      logger: options.logger ?? SILENT_LOGGER,
    });
    return new Log(options, resources, loaded, topicIdOf(options, loaded.hasTopicIdFile));
  }

  private constructor(options: LogOptions, resources: LogResources, loaded: LoadedLog, topicId: string | null) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.topicId = topicId;
    this.dir = options.dir;
    this.#resources = resources;
    this.#clock = options.clock;
    this.#logger = options.logger ?? SILENT_LOGGER;
    this.#onDiskError = options.onDiskError;
    this.#config = options.config;
    this.#segments = new SegmentList(resources, options.dir, loaded.segments);
    this.#logStartOffset = loaded.logStartOffset;
    this.#logEndOffset = loaded.logEndOffset;
    this.cleanedUpTo = options.cleanedUpTo ?? null;
    this.#producers = new ProducerTracker(loaded.snapshots, loaded.producers, () => ({
      segments: this.#segments.all,
      logStartOffset: this.#logStartOffset,
      logEndOffset: this.#logEndOffset,
      producerIdExpirationMs: this.#config.producerIdExpirationMs,
      nowMs: this.#clock.nowMs(),
    }));
    this.#beforeFirstChange = options.beforeFirstChange ?? null;
    this.#recoveryPointChanged = options.recoveryPointChanged ?? (() => {});
    this.#epochs = loaded.epochs;
    this.#hasEpochFile = loaded.hasEpochFile;
    this.#durability = new Durability({
      disk: resources.disk,
      dir: options.dir,
      segments: this.#segments,
      recoveryPoint: loaded.recoveryPoint,
      isClean: options.clean,
      namesAreDurable: options.clean && loaded.recoveryPoint > 0,
      nowMs: this.#now,
      logger: this.#logger,
      takeDerived: () => this.#epochs?.takeChange(this.#logEndOffset) ?? null,
      onDiskError: options.onDiskError,
      onFlushed: options.onFlushed,
    });
  }

  readonly #now = (): number => this.#clock.nowMs();

  get config(): LogConfig {
    return this.#config;
  }

  updateConfig(config: LogConfig): void {
    this.#config = config;
  }

  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  /** All below is durable. */
  get recoveryPoint(): number {
    return this.#durability.recoveryPoint;
  }

  /** Why the log takes no more appends until it is opened anew; null while it does. */
  get failure(): LogError | null {
    return this.#durability.failure;
  }

  /** When the recovery point was last moved, or the log opened. */
  get lastFlushMs(): number {
    return this.#durability.lastFlushMs;
  }

  /** In order; the last one takes the appends. */
  get segments(): readonly Segment[] {
    return this.#segments.all;
  }

  /** Of the .log files. */
  get sizeBytes(): number {
    return this.#segments.sizeBytes;
  }

  // Leader epochs

  #leaderEpochs(): LeaderEpochs {
    if (this.#epochs === null) {
      this.#epochs = new LeaderEpochs(this.#resources.disk, this.dir, this.#hasEpochFile);
      this.#epochs.truncateFromEnd(this.#logEndOffset);
      this.#epochs.truncateFromStart(this.#logStartOffset);
    }
    return this.#epochs;
  }

  /** Before an append: what cannot be read must not fail it half-way. */
  #readLeaderEpochs(): LeaderEpochs {
    try {
      return this.#leaderEpochs();
    } catch (cause) {
      throw this.#storageError('append', cause);
    }
  }

  /** The epoch of the newest record or assignment; -1 when there is none. */
  get latestEpoch(): number {
    return this.#leaderEpochs().latest;
  }

  /** Notes that a leader begins `epoch` at the log end (Kafka: on becoming leader). */
  assignEpoch(epoch: number): void {
    this.#leaderEpochs().assign(epoch, this.#logEndOffset);
  }

  /** The epoch of the record at `offset`; -1 when unknown. */
  epochForOffset(offset: number): number {
    return this.#leaderEpochs().epochForOffset(offset);
  }

  /** For OffsetForLeaderEpoch: where `epoch` ended, and the epoch that this holds for; -1 and -1 when unknown. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#leaderEpochs().endOffsetFor(epoch, this.#logEndOffset);
  }

  // Producers and transactions

  /** Start of the first transaction that is open, or whose marker lies at or above the high watermark. */
  get firstUnstableOffset(): number | null {
    const first = this.#producers.state.firstUnstableOffset;
    return first === null ? null : Math.max(first, this.#logStartOffset);
  }

  /** Keeps transactions unstable until their marker is below the high watermark; cheap to call after each append. */
  onHighWatermark(highWatermark: number): void {
    this.#producers.stateIfLoaded?.onHighWatermark(highWatermark);
  }

  hasOngoingTransaction(producerId: number): boolean {
    return this.#producers.state.hasOpenTransaction(producerId);
  }

  /** For DescribeProducers (KIP-664). */
  producers(): ActiveProducer[] {
    return this.#producers.describeProducers();
  }

  /** Forgets producers idle for longer than producer.id.expiration.ms. */
  removeExpiredProducers(nowMs: number): void {
    this.#producers.stateIfLoaded?.removeExpired(nowMs, this.#config.producerIdExpirationMs);
  }

  /** Aborted transactions with records in [fromOffset, upTo), for a read_committed fetch. */
  abortedTransactions(fromOffset: number, upTo: number): AbortedTransaction[] {
    return this.#segments.abortedTransactions(fromOffset, upTo);
  }

  // Appends

  /**
   * Appends one or more whole v2 batches, which the caller has checked (length, magic, attributes, CRC). Offsets, `epoch` (the
   * leader's) and, with LogAppendTime, the timestamp are set in the buffer itself. Throws LogError and leaves the log as it
   * was when the producer state does not allow them or the disk fails. `transactionVersion` is that of the coordinator
   * that writes a marker (KIP-890).
   */
  appendAsLeader(
    batches: Buffer,
    epoch: number,
    origin: AppendOrigin = 'client',
    transactionVersion = -1,
  ): AppendResult {
    this.#checkUsable();
    const first = this.#logEndOffset;
    const logAppendTimeMs = this.#config.messageTimestampType === 'LogAppendTime' ? this.#clock.nowMs() : -1;
    const next = assignOffsets(batches, first, epoch, logAppendTimeMs);
    const duplicate = this.#producers.state.check(batches, origin, transactionVersion);
    if (duplicate !== null) return this.#duplicateOf(duplicate);
    const epochs = this.#readLeaderEpochs();
    this.#append(batches, first, next);
    if (epoch >= 0) epochs.assign(epoch, first);
    const logStartOffset = this.#logStartOffset;
    return { firstOffset: first, lastOffset: next - 1, logAppendTimeMs, logStartOffset, duplicate: false };
  }

  #duplicateOf(batch: ProducerBatch): AppendResult {
    return {
      firstOffset: batch.lastOffset - batch.offsetDelta,
      lastOffset: batch.lastOffset,
      logAppendTimeMs: batch.timestampMs,
      logStartOffset: this.#logStartOffset,
      duplicate: true,
    };
  }

  /** Appends batches fetched from the leader, with its offsets and epochs. They must begin at or above the log end and rise. */
  appendAsFollower(batches: Buffer): void {
    this.#checkUsable();
    const next = checkOffsets(batches, this.#logEndOffset);
    const epochs = this.#readLeaderEpochs();
    this.#append(batches, baseOffset(batches, 0), next);
    for (let at = 0; at < batches.length; at += sizeBytes(batches, at)) {
      if (leaderEpoch(batches, at) >= 0) epochs.assign(leaderEpoch(batches, at), baseOffset(batches, at));
    }
  }

  #append(batches: Buffer, first: number, next: number): void {
    const config = this.#config;
    if (batches.length > config.segmentBytes) {
      const text = `${batches.length} bytes in one append; a segment holds ${config.segmentBytes}`;
      throw new LogError('RECORD_LIST_TOO_LARGE', text);
    }
    const producers = this.#producers.state;
    let position = -1;
    try {
      this.#rollIfNeeded(batches, next);
      position = this.#segments.active.sizeBytes;
      this.#segments.append(batches, first, config.indexIntervalBytes);
      this.#logEndOffset = next;
      producers.update(batches, this.#onCompleted);
    } catch (cause) {
      // With the batches in the file but not in all that is derived from it, only a recovery can go on.
      const isHalfDone = position >= 0 && this.#segments.active.sizeBytes !== position;
      throw isHalfDone ? this.#durability.fail(cause, 'append') : this.#storageError('append', cause);
    }
  }

  readonly #onCompleted = (transaction: CompletedTransaction): void => noteAborted(this.#segments.active, transaction);

  #rollIfNeeded(batches: Buffer, next: number): void {
    const bytes = batches.length;
    let timestamp = maxTimestamp(batches, 0);
    for (let at = sizeBytes(batches, 0); at < bytes; at += sizeBytes(batches, at)) {
      timestamp = Math.max(timestamp, maxTimestamp(batches, at));
    }
    const { active } = this.#segments;
    if (!active.shouldRoll(this.#config, bytes, timestamp, next - 1, this.#now)) return;
    // At the log end, wherever it goes on: a gap between two segments is the mark of a loss.
    this.#roll(Math.max(this.#logEndOffset, next - 1 - MAX_RELATIVE_OFFSET));
  }

  /** Begins a new segment at `offset`, the log end but where a follower leaves more offsets out than a segment can have. */
  #roll(offset: number): void {
    const { active } = this.#segments;
    if (active.finish()) this.#durability.indexesWritten();
    this.#durability.segmentFinished(active, offset);
    if (active.baseOffset !== offset) this.#producers.writeSnapshot(offset);
    this.#startSegment(offset);
    // A failure is kept and refuses the next append.
    this.#durability.flush(offset).catch(() => {});
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

  /** As `read`; many bytes that only the file has are read when they are sent. */
  slice(offset: number, maxBytes: number, options: ReadOptions): { records: Buffer | FileSlice } {
    return { records: this.#reading(offset, maxBytes, options, sliceRange) };
  }

  #reading<T>(offset: number, maxBytes: number, options: ReadOptions, take: (range: BatchRange) => T): T | Buffer {
    const logEndOffset = this.#logEndOffset;
    if (offset < this.#logStartOffset || offset > logEndOffset) {
      const text = `offset ${offset} of ${this.dir} is not in ${this.#logStartOffset} to ${logEndOffset}`;
      throw new LogError('OFFSET_OUT_OF_RANGE', text);
    }
    const upTo = Math.min(options.upTo, logEndOffset);
    if (offset >= upTo) {
      if (offset === logEndOffset) this.#segments.wantTail();
      return NO_RECORDS;
    }
    try {
      const range = this.#segments.find(offset, upTo, logEndOffset, maxBytes, options);
      return range === null ? NO_RECORDS : take(range);
    } catch (cause) {
      throw this.#storageError('read', cause);
    }
  }

  /** Bytes of batches in [fromOffset, upTo), for fetch.min.bytes. */
  bytesBetween(fromOffset: number, upTo: number): number {
    return this.#segments.bytesBetween(fromOffset, Math.min(upTo, this.#logEndOffset));
  }

  /** The first record with this timestamp or a later one, for ListOffsets; null when there is none. */
  offsetForTimestamp(timestampMs: number): OffsetAndTimestamp | null {
    return findByTimestamp(this.#segments.all, timestampMs, this.#logStartOffset);
  }

  /** The first record with the largest timestamp (KIP-734); null in a log without timestamps. */
  maxTimestamp(): OffsetAndTimestamp | null {
    return findMaxTimestamp(this.#segments.all);
  }

  // Compaction (compaction/compact.ts)

  /** A segment outside the log, for a compaction to write to. */
  newCleanedSegment(baseOffset: number): Segment {
    return this.#segments.newCleaned(baseOffset, this.#clock.nowMs());
  }

  /** Whether `segments` can still be replaced: they stand in the log as they were when it had been truncated `truncations` times. */
  canReplace(segments: readonly Segment[], truncations: number): boolean {
    return !this.#closed && this.truncations === truncations && this.#segments.holdsInactive(segments);
  }

  /** How often the log has lost records at its end. */
  get truncations(): number {
    return this.#durability.truncations;
  }

  /** By producer id. */
  get producerEntries(): ReadonlyMap<number, ProducerEntry> {
    return this.#producers.state.entries;
  }

  /**
   * Puts `cleaned`, which is durable, in the place of `old`, which `canReplace`. A crash on the way leaves the old content or the new one
   * (interrupted-swap.ts), and so does a failure: the log goes on with either.
   */
  async replaceSegments(old: readonly Segment[], cleaned: Segment): Promise<void> {
    this.#checkUsable();
    cleaned.changeSuffix(CLEANED_SUFFIX, SWAP_SUFFIX);
    this.#segments.replace(old, cleaned);
    const deleted = old.flatMap((segment) => segment.markDeleted());
    for (const { baseOffset } of old) if (baseOffset !== cleaned.baseOffset) this.#producers.removeSnapshot(baseOffset);
    cleaned.changeSuffix(SWAP_SUFFIX, '');
    const { disk, deletions } = this.#resources;
    await disk.syncDirAsync(this.dir);
    const dueMs = this.#clock.nowMs() + this.#config.fileDeleteDelayMs;
    for (const path of deleted) deletions.add(path, dueMs);
  }

  // Deletion

  /**
   * DeleteRecords: records below `offset` are gone for readers; `deleteOldSegments` removes their files. False when they
   * were gone already.
   */
  advanceLogStartOffset(offset: number): boolean {
    if (offset > this.#logEndOffset) {
      const text = `log start ${offset} above the log end ${this.#logEndOffset} of ${this.dir}`;
      throw new LogError('OFFSET_OUT_OF_RANGE', text);
    }
    if (offset <= this.#logStartOffset) return false;
    const epochs = this.#leaderEpochs();
    this.#logStartOffset = offset;
    epochs.truncateFromStart(offset);
    return true;
  }

  /** Removes segments by retention.ms, retention.bytes and the log start; gives their number. */
  deleteOldSegments(nowMs: number, highWatermark: number): number {
    const view = {
      segments: this.#segments.all,
      logStartOffset: this.#logStartOffset,
      logEndOffset: this.#logEndOffset,
      highWatermark,
    };
    const count = countDeletable(view, this.#config, nowMs);
    if (count === 0) return 0;
    this.#checkUsable();
    if (count === this.#segments.all.length) this.#roll(this.#logEndOffset);
    const deleted = this.#segments.removeFirst(count);
    this.advanceLogStartOffset(this.#segments.first.baseOffset);
    this.#logger.info({ dir: this.dir, segments: count, logStartOffset: this.#logStartOffset }, 'old segments deleted');
    this.#change('deletion', () => this.#discard(deleted, nowMs));
    return count;
  }

  /** Renames the files of segments that are out of the list, and has them deleted after file.delete.delay.ms. */
  #discard(segments: readonly Segment[], nowMs: number): void {
    const dueMs = nowMs + this.#config.fileDeleteDelayMs;
    for (const segment of segments) {
      for (const path of segment.markDeleted()) this.#resources.deletions.add(path, dueMs);
      this.#producers.removeSnapshot(segment.baseOffset);
    }
  }

  /** Drops the batch that holds `offset` and all after it. False when the log ends there or before. */
  truncateTo(offset: number): boolean {
    this.#checkUsable();
    const epochs = this.#leaderEpochs();
    if (offset >= this.#logEndOffset) {
      epochs.truncateFromEnd(this.#logEndOffset);
      return false;
    }
    if (offset < this.#segments.first.baseOffset) {
      this.truncateFullyAndStartAt(offset);
      return true;
    }
    this.#change('truncation', () => this.#truncateTo(offset, epochs));
    return true;
  }

  #truncateTo(offset: number, epochs: LeaderEpochs): void {
    const knewProducers = this.#producers.state.entries.size > 0;
    const nowMs = this.#clock.nowMs();
    this.#willEnd(offset);
    // The other way round, a crash in between would bring batches back that lie behind a gap.
    this.#discard(this.#segments.removeAbove(offset), nowMs);
    this.#segments.truncateActive(offset, nowMs);
    // The batch that held the offset began before it: only a name can say that the log goes on at it.
    const isGap = this.#segments.active.nextOffset() < offset;
    if (isGap) {
      this.#segments.active.finish();
      this.#startSegment(offset);
    }
    this.#ended(offset);
    // Only below the recovery point is a gap no sign of a loss.
    if (isGap) this.#keepGap();
    epochs.truncateFromEnd(offset);
    this.#logStartOffset = Math.min(this.#logStartOffset, offset);
    this.#producers.truncated(knewProducers);
  }

  /** Empties the log, which goes on at `offset`. */
  truncateFullyAndStartAt(offset: number, logStartOffset: number = offset): void {
    this.#checkUsable();
    this.#change('truncation', () => {
      this.#willEnd(0);
      this.#leaderEpochs().clear();
      this.#producers.clear();
      this.#discard(this.#segments.removeAll(), this.#clock.nowMs());
      this.#startSegment(offset);
      this.#ended(offset);
      this.#logStartOffset = logStartOffset;
    });
  }

  #keepGap(): void {
    this.flushSync();
    this.#recoveryPointChanged();
  }

  #startSegment(offset: number): void {
    this.#segments.start(offset, this.#clock.nowMs());
    this.#durability.segmentStarted();
  }

  /** A change of several files, which only a recovery can put right when it fails half-way. */
  #change(action: string, change: () => void): void {
    try {
      change();
    } catch (cause) {
      throw this.#durability.fail(cause, action);
    }
  }

  /** The log is about to be truncated: the checkpointed recovery point must not be above what a crash leaves. */
  #willEnd(offset: number): void {
    const { recoveryPoint } = this.#durability;
    this.#durability.truncated(offset);
    if (offset >= recoveryPoint) return;
    try {
      this.#recoveryPointChanged();
    } catch (cause) {
      this.#durability.notTruncated(recoveryPoint);
      throw cause;
    }
  }

  #ended(offset: number): void {
    this.#logEndOffset = offset;
    const dirtyFrom = this.#segments.active.baseOffset;
    if (this.cleanedUpTo !== null) this.cleanedUpTo = Math.min(this.cleanedUpTo, dirtyFrom);
    this.#durability.truncated(offset);
  }

  // Durability

  /** flush.messages asks for a flush now: its caller waits with the acknowledgement until then. */
  get isFlushDue(): boolean {
    return this.#logEndOffset - this.#durability.recoveryPoint >= this.#config.flushMessages;
  }

  /** Makes all below `upTo` durable (fdatasync) and moves the recovery point there. */
  flush(upTo: number = this.#logEndOffset): Promise<void> {
    return this.#durability.flush(upTo);
  }

  /** As `flush`, at once. */
  flushSync(): void {
    this.#durability.flushSync(this.#logEndOffset);
  }

  /** Closes in an orderly way, so that the next start need not scan. Nothing is made durable: see `closeDurably`. */
  close(): void {
    if (this.#closed) return;
    this.#settle();
    const epochs = this.#epochs?.takeChange(this.#logEndOffset) ?? null;
    if (epochs !== null) this.#resources.disk.writeFile(epochs.path, epochs.text, { durable: false });
    this.#durability.trustPageCache(this.#logEndOffset);
    this.#segments.close();
  }

  /** As `close`, and what the log consists of is on disk for good. */
  async closeDurably(): Promise<void> {
    if (this.#closed) return;
    const written = this.#settle();
    await this.#durability.flush(this.#logEndOffset);
    const epochs = this.#epochs?.takeChange(this.#logEndOffset) ?? null;
    if (epochs !== null) {
      await replaceFile(this.#resources.disk, epochs.path, epochs.text);
      written.push(epochs.path);
    }
    await this.#durability.syncFiles(written);
    this.#segments.close();
  }

  /** Lets go of the files and leaves them as they are: the log is deleted, or the disk has failed. */
  abandon(): void {
    this.#closed = true;
    this.#durability.abandoned();
    this.#segments.close();
  }

  /** Writes what memory holds but the leader epochs; gives the paths of the files that were written. */
  #settle(): string[] {
    this.#checkUsable();
    this.#closed = true;
    const written: string[] = [];
    const snapshot = this.#producers.close();
    if (snapshot !== null) written.push(snapshot);
    for (const segment of this.#segments.all) {
      // Also an old one, whose indexes were made anew when somebody read there.
      if (segment.finish()) written.push(...segment.durableFiles(true).map((file) => file.path));
    }
    this.#durability.settled();
    return written;
  }

  #checkUsable(): void {
    if (this.#durability.failure !== null) throw this.#durability.failure;
    if (this.#closed) throw new LogError('KAFKA_STORAGE_ERROR', `${this.dir} is closed`);
    if (this.#beforeFirstChange === null) return;
    this.#beforeFirstChange();
    this.#beforeFirstChange = null;
  }

  #storageError(action: string, cause: unknown): LogError {
    if (cause instanceof LogError) return cause;
    if (!(cause instanceof DiskError)) throw cause;
    this.#onDiskError?.(cause);
    return new LogError('KAFKA_STORAGE_ERROR', `${action} in ${this.dir} failed: ${cause.message}`, cause);
  }
}
