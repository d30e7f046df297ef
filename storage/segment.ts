/** One segment of a log: NNN.log with its indexes, NNN being a lower bound for the offsets in it. */
import { baseOffset, lastOffset, maxTimestamp, sizeBytes } from '../protocol/records/batch.ts';
import { BatchCursor } from './batch-cursor.ts';
import type { Disk } from './disk.ts';
import { type FilePool, PooledFile } from './file-pool.ts';
import type { LogConfig } from './log-config.ts';
import { damaged } from './log-error.ts';
import {
  DELETED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from './names.ts';
import { MAX_RELATIVE_OFFSET, OffsetIndex } from './offset-index.ts';
import { TimeIndex } from './time-index.ts';
import { type AbortedTransactionEntry, TransactionIndex } from './transaction-index.ts';

const NO_TIMESTAMP = -1;
const UNKNOWN = -2;
/** index.interval.bytes where an index is made anew outside of a recovery. */
const DEFAULT_INDEX_INTERVAL_BYTES = 4096;

/** Where a segment found on disk has to end. `exact`: there; otherwise gaps that a compaction made may be before it. */
export interface SegmentEnd {
  readonly offset: number;
  readonly exact: boolean;
}

export class Segment {
  readonly baseOffset: number;
  readonly log: PooledFile;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  readonly transactionIndex: TransactionIndex;
  /** When this process made or opened the segment: rolling by time counts from it where the first batch has no timestamp. */
  createdMs: number;
  /** Of a segment found on disk: the offset that follows it, as far as that is known; null otherwise. */
  #expectedEnd: SegmentEnd | null = null;
  #sizeBytes: number;
  /** The largest timestamp of the segment and the last offset of the batch that has it. */
  #maxTimestamp: number;
  #maxTimestampOffset: number;
  /** Of the first batch; rolling by time counts from it. */
  #firstTimestamp: number;
  #bytesSinceIndexEntry = 0;
  /** Where the last read ended; a consumer goes on from there. */
  #readEndOffset = -1;
  #readEndPosition = 0;
  /** Indexes found on disk are looked at once before they are believed. */
  #indexesChecked: boolean;
  /** Something has changed since the indexes were last written out. */
  #dirty = false;
  #isDeleted = false;

  /**
   * `existing` holds the names in the folder; null for a segment that begins now. `temporarySuffix` ends the names of files that do not
   * belong to the log yet.
   */
  constructor(
    files: FilePool,
    dir: string,
    baseOffset: number,
    nowMs: number,
    existing: ReadonlySet<string> | null,
    temporarySuffix = '',
  ) {
    const file = (suffix: string): PooledFile => {
      const name = offsetFileName(baseOffset, suffix) + temporarySuffix;
      return new PooledFile(files, `${dir}/${name}`, existing?.has(name) ?? false);
    };
    this.baseOffset = baseOffset;
    this.log = file(LOG_SUFFIX);
    this.offsetIndex = new OffsetIndex(file(OFFSET_INDEX_SUFFIX), baseOffset);
    this.timeIndex = new TimeIndex(file(TIME_INDEX_SUFFIX), baseOffset);
    this.transactionIndex = new TransactionIndex(file(TRANSACTION_INDEX_SUFFIX), baseOffset);
    this.createdMs = nowMs;
    const isNew = !this.log.exists;
    this.#sizeBytes = isNew ? 0 : -1;
    this.#maxTimestamp = isNew ? NO_TIMESTAMP : UNKNOWN;
    this.#maxTimestampOffset = baseOffset;
    this.#firstTimestamp = isNew ? NO_TIMESTAMP : UNKNOWN;
    this.#indexesChecked = isNew;
  }

  /**
   * The segment was found on disk and has to end there; `rebuild` makes its transaction index anew. Whoever took the other indexes away may
   * have taken that one, too, of which nothing else tells.
   */
  found(end: SegmentEnd, disk: Disk, rebuild: () => AbortedTransactionEntry[]): void {
    this.#expectedEnd = end;
    this.transactionIndex.found({ disk, endOffset: end.offset, rebuild });
    if (!this.offsetIndex.entries.file.exists || !this.timeIndex.entries.file.exists) this.transactionIndex.distrust();
  }

  get sizeBytes(): number {
    if (this.#sizeBytes < 0) this.#sizeBytes = this.log.handle.sizeBytes();
    return this.#sizeBytes;
  }

  /** -1 when no record has one. */
  get maxTimestamp(): number {
    this.#loadMaxTimestamp();
    return this.#maxTimestamp;
  }

  /** The age that retention goes by: the largest timestamp, or when the file was last written (LogSegment.largestTimestamp). */
  get largestTimestampMs(): number {
    return this.maxTimestamp >= 0 ? this.maxTimestamp : this.log.handle.modifiedMs();
  }

  /** The last offset of the batch that has the largest timestamp. */
  get maxTimestampOffset(): number {
    this.#loadMaxTimestamp();
    return this.#maxTimestampOffset;
  }

  #loadMaxTimestamp(): void {
    if (this.#maxTimestamp !== UNKNOWN) return;
    this.checkIndexes();
    this.#maxTimestamp = this.timeIndex.lastTimestamp;
    this.#maxTimestampOffset = this.timeIndex.lastOffset;
  }

  /** The largest timestamp of the first batch; -1 when it has none, or there is no batch. */
  get firstBatchTimestamp(): number {
    if (this.#firstTimestamp === UNKNOWN) {
      const cursor = this.cursor(0);
      this.#firstTimestamp = cursor.load() ? maxTimestamp(cursor.buf, cursor.at) : NO_TIMESTAMP;
    }
    return this.#firstTimestamp;
  }

  /** Makes the .log file even though it is empty: its name says where the log goes on. */
  createFile(): void {
    this.log.create();
    this.#dirty = true;
  }

  /** Makes the .log file of a new log with its folder, as Kafka does: the first append is some ten times faster than with it. */
  prepareFile(): void {
    if (this.log.exists) return;
    this.log.create();
    this.log.close();
  }

  cursor(position: number, window?: Buffer): BatchCursor {
    return new BatchCursor(this.log, position, this.sizeBytes, window);
  }

  /** Whether an append has to go to a new segment (LogSegment.shouldRoll). */
  shouldRoll(config: LogConfig, bytes: number, timestamp: number, last: number, nowMs: () => number): boolean {
    const size = this.sizeBytes;
    if (size > config.segmentBytes - bytes) return true;
    if (size > 0 && this.#waitedMs(timestamp, nowMs) > maxSegmentMs(config) - this.#jitterMs(config)) return true;
    if (last - this.baseOffset > MAX_RELATIVE_OFFSET) return true;
    return this.offsetIndex.isFull(config.segmentIndexBytes) || this.timeIndex.isFull(config.segmentIndexBytes);
  }

  /** segment.jitter.ms spreads the rolls of partitions that were filled alike; the file's name decides by how much. */
  #jitterMs(config: LogConfig): number {
    const limit = Math.min(config.segmentJitterMs, config.segmentMs);
    if (limit <= 0) return 0;
    const { path } = this.log;
    let hash = 0;
    for (let i = 0; i < path.length; i++) hash = (hash * 31 + path.charCodeAt(i)) % 2_147_483_647;
    return hash % limit;
  }

  #waitedMs(timestamp: number, nowMs: () => number): number {
    const first = this.firstBatchTimestamp;
    return first >= 0 ? timestamp - first : nowMs() - this.createdMs;
  }

  /** Writes whole batches at the end and takes note of them in the indexes. */
  append(batches: Buffer, indexIntervalBytes: number): void {
    const position = this.sizeBytes;
    this.#loadMaxTimestamp();
    this.#dirty = true;
    this.#write(batches, position);
    if (position === 0) this.#firstTimestamp = maxTimestamp(batches, 0);
    this.#sizeBytes = position + batches.length;
    for (let at = 0; at < batches.length; at += sizeBytes(batches, at)) {
      this.indexBatch(batches, at, position + at, indexIntervalBytes);
    }
  }

  /** A write that fails may have left a part of the bytes, which must not stay behind the end. */
  #write(batches: Buffer, position: number): void {
    const { handle } = this.log;
    try {
      handle.writeSync(batches, position);
    } catch (cause) {
      this.#sizeBytes = position + batches.length;
      handle.truncateSync(position);
      this.#sizeBytes = position;
      throw cause;
    }
  }

  /** Index entries for a batch that stands at `position`, when it is time for one. Batches come in order. */
  indexBatch(buf: Buffer, at: number, position: number, indexIntervalBytes: number): void {
    const timestamp = maxTimestamp(buf, at);
    if (timestamp > this.#maxTimestamp) {
      this.#maxTimestamp = timestamp;
      this.#maxTimestampOffset = lastOffset(buf, at);
    }
    if (this.#bytesSinceIndexEntry > indexIntervalBytes) {
      this.offsetIndex.append(lastOffset(buf, at), position);
      this.timeIndex.maybeAppend(this.#maxTimestamp, this.#maxTimestampOffset);
      this.#bytesSinceIndexEntry = 0;
    }
    this.#bytesSinceIndexEntry += sizeBytes(buf, at);
  }

  /** The position of the first batch that ends at or after `offset`; -1 when there is none here. */
  locate(offset: number): number {
    if (offset === this.#readEndOffset) return this.#readEndPosition < this.sizeBytes ? this.#readEndPosition : -1;
    this.checkIndexes();
    const cursor = this.#cursorBefore(offset);
    for (; cursor.loadSound(); cursor.advance()) {
      if (lastOffset(cursor.buf, cursor.at) >= offset) return cursor.position;
    }
    return -1;
  }

  /**
   * Where the last batch ends that begins at or after byte `start`, where one begins, and ends at or before byte `limit`: its end and the
   * offset after it. `start` itself where none fits, unless `minOne` asks for the first one all the same.
   */
  endOfBatches(start: number, limit: number, minOne: boolean): { position: number; nextOffset: number } {
    this.checkIndexes();
    let cursor = this.cursor(Math.max(start, this.offsetIndex.lookupPosition(limit)));
    // An index that leads nowhere is found out in `locate`; here it only must not be followed.
    if (!cursor.load()) cursor = this.cursor(start);
    let nextOffset = -1;
    for (; cursor.loadSound(); cursor.advance()) {
      const fits = cursor.position + sizeBytes(cursor.buf, cursor.at) <= limit;
      if (!fits && !(minOne && cursor.position === start)) break;
      nextOffset = lastOffset(cursor.buf, cursor.at) + 1;
    }
    // The index leads right to the first batch that does not fit: those before it end below.
    if (nextOffset < 0 && cursor.position > start) nextOffset = baseOffset(cursor.buf, cursor.at);
    return { position: cursor.position, nextOffset };
  }

  /** On a batch that is not above `offset`, near it if the index has it; an index that leads elsewhere is made anew. */
  #cursorBefore(offset: number): BatchCursor {
    const cursor = this.cursor(this.offsetIndex.lookup(offset));
    if (this.#isAt(cursor, offset)) return cursor;
    this.rebuildIndexes(DEFAULT_INDEX_INTERVAL_BYTES);
    return this.cursor(this.offsetIndex.lookup(offset));
  }

  /** Whether the cursor, put where an index says, stands on a batch that begins at or below `offset`. */
  #isAt(cursor: BatchCursor, offset: number): boolean {
    if (cursor.position === 0) return true;
    if (cursor.position < 0 || !cursor.load()) return false;
    const found = baseOffset(cursor.buf, cursor.at);
    return found >= this.baseOffset && found <= offset;
  }

  /** A read ended here: `offset` is the next one after the batch before `position`. */
  noteReadEnd(offset: number, position: number): void {
    this.#readEndOffset = offset;
    this.#readEndPosition = position;
  }

  /** The offset after the last one in the segment, read from its end. */
  nextOffset(): number {
    this.checkIndexes();
    const cursor = this.cursor(this.offsetIndex.lastPosition());
    let next = this.baseOffset;
    for (; cursor.loadSound(); cursor.advance()) next = lastOffset(cursor.buf, cursor.at) + 1;
    return next;
  }

  /**
   * Looks at a segment found on disk before it is used: makes indexes anew that are missing or cannot be right, and throws LogError where
   * the file does not reach as far as it once did.
   */
  checkIndexes(): void {
    if (this.#indexesChecked) return;
    this.#indexesChecked = true;
    try {
      const claimed = this.#lastIndexedOffset();
      if (!this.#areIndexesSane()) this.rebuildIndexes(DEFAULT_INDEX_INTERVAL_BYTES);
      this.#checkEnd(claimed);
    } catch (error) {
      this.#indexesChecked = false;
      throw error;
    }
  }

  #areIndexesSane(): boolean {
    const isMissing = !this.offsetIndex.entries.file.exists && this.sizeBytes > 2 * DEFAULT_INDEX_INTERVAL_BYTES;
    if (isMissing || !this.offsetIndex.isSane(this.sizeBytes) || !this.timeIndex.isSane()) return false;
    if (this.timeIndex.entries.count === 0 && this.sizeBytes > 0) return false;
    return this.#isAt(this.cursor(this.offsetIndex.lastPosition()), this.offsetIndex.lastOffset());
  }

  /** The highest offset that an index speaks of, right or wrong; -1 when none does. */
  #lastIndexedOffset(): number {
    const inOffsetIndex = this.offsetIndex.entries.count > 0 ? this.offsetIndex.lastOffset() : -1;
    const inTimeIndex = this.timeIndex.entries.count > 0 ? this.timeIndex.lastOffset : -1;
    return Math.max(inOffsetIndex, inTimeIndex);
  }

  /** Where the indexes know of batches that the file does not have, and its end is not where it should be, bytes are gone. */
  #checkEnd(claimed: number): void {
    const end = this.#expectedEnd;
    const next = this.nextOffset();
    if (end === null || next === end.offset) return;
    if (next < end.offset && !end.exact && claimed < next) return;
    throw damaged(this.log.path, this.sizeBytes, `the file ends before offset ${next}, its end was at ${end.offset}`);
  }

  /** From the batches' headers; what they hold is taken to be valid. */
  rebuildIndexes(indexIntervalBytes: number): void {
    // Where the log is damaged the indexes may be all that is right: then they stay.
    for (const look = this.cursor(0); look.loadSound(); look.advance());
    this.transactionIndex.distrust();
    this.resetIndexes();
    const cursor = this.cursor(0);
    for (; cursor.loadSound(); cursor.advance())
      this.indexBatch(cursor.buf, cursor.at, cursor.position, indexIntervalBytes);
    this.timeIndex.maybeAppend(this.#maxTimestamp, this.#maxTimestampOffset);
  }

  /** Empties the offset and the time index, so that `indexBatch` can fill them again. */
  resetIndexes(): void {
    this.#indexesChecked = true;
    this.#dirty = true;
    this.#maxTimestamp = NO_TIMESTAMP;
    this.#maxTimestampOffset = this.baseOffset;
    this.#firstTimestamp = UNKNOWN;
    this.#bytesSinceIndexEntry = 0;
    this.offsetIndex.entries.reset();
    this.timeIndex.reset();
  }

  /** Cuts the file behind `size` bytes, the end of a batch; the indexes are not touched. */
  cutFile(size: number): void {
    this.log.handle.truncateSync(size);
    this.#sizeBytes = size;
  }

  /** Drops the batch that holds `offset` and all after it. */
  truncateTo(offset: number, nowMs: number): void {
    this.#readEndOffset = -1;
    this.#dirty = true;
    const position = this.locate(offset);
    this.offsetIndex.truncateTo(offset);
    this.timeIndex.truncateTo(offset);
    this.transactionIndex.truncateTo(offset);
    if (position >= 0) this.cutFile(position);
    if (this.sizeBytes === 0) {
      this.createdMs = nowMs;
      this.#firstTimestamp = NO_TIMESTAMP;
    }
    this.#bytesSinceIndexEntry = 0;
    this.#reloadMaxTimestamp();
  }

  /** From the last entry of the time index and the batches behind it. */
  #reloadMaxTimestamp(): void {
    this.#maxTimestamp = this.timeIndex.lastTimestamp;
    this.#maxTimestampOffset = this.timeIndex.lastOffset;
    const cursor = this.cursor(this.offsetIndex.lookup(this.#maxTimestampOffset));
    for (; cursor.loadSound(); cursor.advance()) {
      const timestamp = maxTimestamp(cursor.buf, cursor.at);
      if (timestamp <= this.#maxTimestamp) continue;
      this.#maxTimestamp = timestamp;
      this.#maxTimestampOffset = lastOffset(cursor.buf, cursor.at);
    }
  }

  /** No more appends for now (rolled or closed): the last time index entry, and the indexes go to their files. False: nothing to do. */
  finish(): boolean {
    if (!this.#dirty) return false;
    this.timeIndex.maybeAppend(this.maxTimestamp, this.maxTimestampOffset);
    this.offsetIndex.entries.release();
    this.timeIndex.entries.release();
    this.#dirty = false;
    return true;
  }

  /** The files whose bytes have to be durable before the recovery point may pass this segment. */
  durableFiles(withIndexes: boolean): PooledFile[] {
    const files = [this.log, this.transactionIndex.file];
    if (withIndexes) files.push(this.offsetIndex.entries.file, this.timeIndex.entries.file);
    return files.filter((file) => file.exists);
  }

  close(): void {
    for (const file of this.#files()) file.close();
  }

  remove(): void {
    for (const file of this.#files()) file.remove();
  }

  /** Renames the files, so that a start after a crash finds them deleted; gives their new paths. */
  markDeleted(): string[] {
    this.#isDeleted = true;
    const paths: string[] = [];
    for (const file of this.#files()) {
      file.close();
      if (!file.exists) continue;
      file.rename(file.path + DELETED_SUFFIX);
      paths.push(file.path);
    }
    return paths;
  }

  /** Out of the log; its files are there for file.delete.delay.ms, for readers that have begun. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  /** Renames the files from one temporary suffix to another one or to none. */
  changeSuffix(from: string, to: string): void {
    for (const file of this.#files()) file.rename(file.path.slice(0, file.path.length - from.length) + to);
  }

  #files(): PooledFile[] {
    return [this.log, this.offsetIndex.entries.file, this.timeIndex.entries.file, this.transactionIndex.file];
  }
}

/** A compacted log also rolls so that records do not stay in the active segment, which is not compacted, for too long. */
function maxSegmentMs(config: LogConfig): number {
  const { segmentMs, maxCompactionLagMs, cleanupPolicy } = config;
  return cleanupPolicy.compact ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs;
}
