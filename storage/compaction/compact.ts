/**
 * One compaction of one log (Kafka: Cleaner). Of the dirty part each key's newest offset is put into a map; then all segments up to there are
 * written anew without the records that the map knows newer ones of, and take the place of the old ones group by group.
 *
 * Appends and reads go on meanwhile: the work is done in short slices, on segments that do not change any more.
 */
import { recordCount, sizeBytes } from '../../protocol/records/batch.ts';
import type { Disk } from '../disk.ts';
import type { Log } from '../log.ts';
import { LogError } from '../log-error.ts';
import type { Segment } from '../segment.ts';
import type { AbortedTransactionEntry } from '../transaction-index.ts';
import { BatchFilter } from './batch-filter.ts';
import { BatchReader } from './batch-reader.ts';
import { groupSegments } from './grouping.ts';
import type { HashSecret } from './key-hash.ts';
import { MapBuilder } from './map-builder.ts';
import { ENTRY_BYTES, OffsetMap } from './offset-map.ts';
import type { Pacer } from './pacer.ts';
import { SegmentWriter } from './segment-writer.ts';
import { CleanedTransactions } from './transactions.ts';

/** The log has changed under the compaction, or is closed: nothing is wrong, and the next one begins anew. */
export class CompactionAborted extends Error {}

/** The clock is looked at after this much work, in bytes; a record counts as some bytes more than it has. */
const WORK_BETWEEN_LOOKS_BYTES = 16_384;
const WORK_OF_RECORD_BYTES = 64;

interface BatchVisitor {
  /** False: no more of them. */
  batch(buf: Buffer, view: DataView, at: number): boolean;
  /** The bytes shown so far are about to be overwritten. */
  endWindow(): void;
}

export interface CompactionOptions {
  readonly disk: Disk;
  readonly log: Log;
  /** All below has been compacted before. */
  readonly firstDirtyOffset: number;
  /** Where a segment begins; nothing from there on is touched. */
  readonly firstUncleanableOffset: number;
  readonly nowMs: number;
  /** log.cleaner.dedupe.buffer.size and log.cleaner.io.buffer.load.factor: a bound on the memory of the map. */
  readonly mapBytes: number;
  readonly mapLoadFactor: number;
  /** Of the windows through which files are read; there are two of them, and one for writing. */
  readonly windowBytes: number;
  readonly secret: HashSecret;
  readonly pacer: Pacer;
  checkpointRecoveryPoint(): Promise<void>;
  isStopped(): boolean;
}

export interface CompactionResult {
  /** All below has been compacted now. It lies below the first uncleanable offset when not all keys fitted into the map. */
  readonly endOffset: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly recordsRead: number;
  readonly recordsKept: number;
  readonly keys: number;
}

export function compactLog(options: CompactionOptions): Promise<CompactionResult> {
  return new Compaction(options).run();
}

class Compaction {
  readonly #options: CompactionOptions;
  readonly #log: Log;
  readonly #truncations: number;
  readonly #transactions = new CleanedTransactions();
  #bytesRead = 0;
  /** Read or written, and not told to the pacer yet. */
  #unpaidBytes = 0;
  /** Since the pacer was last asked. */
  #work = 0;
  #bytesWritten = 0;

  constructor(options: CompactionOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#truncations = options.log.truncations;
  }

  async run(): Promise<CompactionResult> {
    const { firstUncleanableOffset, nowMs } = this.#options;
    // A record may only go for one that outlasts a power cut.
    await this.#log.flush(firstUncleanableOffset);
    // Nor may a recovery go through what is left: a snapshot has transactions open whose markers are gone then.
    await this.#options.checkpointRecoveryPoint();
    const map = await this.#buildMap();
    const endOffset = map.latestOffset + 1;
    const filter = new BatchFilter({
      map,
      transactions: this.#transactions,
      producers: () => this.#log.producerEntries,
      endOffset: firstUncleanableOffset,
      nowMs,
      deleteRetentionMs: this.#log.config.deleteRetentionMs,
    });
    const segments = this.#segmentsBelow(endOffset);
    for (const group of groupSegments(segments, this.#log.config, firstUncleanableOffset)) {
      await this.#cleanGroup(group, filter);
    }
    if (this.#log.truncations !== this.#truncations) throw new CompactionAborted();
    const { recordsRead, recordsKept } = filter;
    const { size: keys } = map;
    const [bytesRead, bytesWritten] = [this.#bytesRead, this.#bytesWritten];
    return { endOffset, bytesRead, bytesWritten, recordsRead, recordsKept, keys };
  }

  #segmentsBelow(offset: number): Segment[] {
    return this.#log.segments.filter((segment) => segment.baseOffset < offset);
  }

  // The map

  async #buildMap(): Promise<OffsetMap> {
    const { firstDirtyOffset, firstUncleanableOffset } = this.#options;
    const map = this.#newMap();
    const transactions = new CleanedTransactions();
    transactions.add(this.#abortedBetween(firstDirtyOffset, firstUncleanableOffset));
    const builder = new MapBuilder(map, transactions, firstDirtyOffset);
    const segments = this.#segmentsBelow(firstUncleanableOffset);
    for (const [i, segment] of segments.entries()) {
      const end = i + 1 < segments.length ? segments[i + 1].baseOffset : firstUncleanableOffset;
      if (end <= firstDirtyOffset) continue;
      if (!(await this.#mapSegment(segment, builder))) break;
      map.latestOffset = end - 1;
    }
    return map;
  }

  /** Room for as many keys as there can be, within the bound. */
  #newMap(): OffsetMap {
    const { firstDirtyOffset, firstUncleanableOffset, mapBytes, mapLoadFactor, secret } = this.#options;
    const most = Math.floor(Math.floor(mapBytes / ENTRY_BYTES) * mapLoadFactor);
    if (most < 1)
      throw new LogError('KAFKA_STORAGE_ERROR', `no key fits into ${mapBytes} bytes of log.cleaner.dedupe.buffer.size`);
    return new OffsetMap(Math.min(most, firstUncleanableOffset - firstDirtyOffset), mapLoadFactor, secret);
  }

  /** False when the map is full. */
  async #mapSegment(segment: Segment, builder: MapBuilder): Promise<boolean> {
    segment.checkIndexes();
    const position = segment.offsetIndex.lookup(builder.firstDirtyOffset);
    let fits = true;
    await this.#visit(segment, position, {
      batch(buf, view, at) {
        fits = builder.add(buf, view, at);
        return fits;
      },
      endWindow() {},
    });
    return fits;
  }

  // The segments

  async #cleanGroup(group: readonly Segment[], filter: BatchFilter): Promise<void> {
    this.#checkCurrent(group);
    const cleaned = this.#log.newCleanedSegment(group[0].baseOffset);
    try {
      await this.#writeCleaned(group, filter, cleaned);
      this.#checkCurrent(group);
      await this.#log.replaceSegments(group, cleaned);
    } catch (cause) {
      if (!this.#log.segments.includes(cleaned)) cleaned.remove();
      throw cause;
    }
  }

  #checkCurrent(segments: readonly Segment[]): void {
    if (!this.#log.canReplace(segments, this.#truncations)) throw new CompactionAborted();
  }

  async #writeCleaned(group: readonly Segment[], filter: BatchFilter, cleaned: Segment): Promise<void> {
    const { windowBytes } = this.#options;
    const writer = new SegmentWriter(cleaned, windowBytes, this.#log.config.indexIntervalBytes);
    this.#transactions.index = cleaned.transactionIndex;
    for (const segment of group) {
      this.#checkCurrent(group);
      this.#transactions.add(this.#abortedBetween(segment.baseOffset, this.#endOf(segment)));
      await this.#visit(segment, 0, {
        batch(buf, view, at) {
          writer.add(buf, at, filter.filter(buf, view, at));
          return true;
        },
        endWindow: () => {
          const before = cleaned.sizeBytes;
          writer.endWindow();
          this.#unpaidBytes += cleaned.sizeBytes - before;
        },
      });
    }
    writer.flush();
    this.#bytesWritten += cleaned.sizeBytes;
    cleaned.createdMs = group[group.length - 1].createdMs;
    cleaned.finish();
    // All begin now, before anything can close a file.
    await Promise.all(cleaned.durableFiles(true).map(async (file) => file.handle.sync()));
  }

  /** The base offset of the segment that follows. */
  #endOf(segment: Segment): number {
    const { segments } = this.#log;
    return segments[segments.indexOf(segment) + 1].baseOffset;
  }

  /** Transactions that were aborted and have records or their marker in [fromOffset, upTo). */
  #abortedBetween(fromOffset: number, upTo: number): AbortedTransactionEntry[] {
    const { segments } = this.#log;
    const first = Math.max(
      0,
      segments.findLastIndex((segment) => segment.baseOffset <= fromOffset),
    );
    const found: AbortedTransactionEntry[] = [];
    for (const segment of segments.slice(first)) {
      for (const entry of segment.transactionIndex.all()) {
        if (entry.lastOffset >= fromOffset && entry.firstOffset < upTo) found.push(entry);
        if (entry.lastStableOffset >= upTo) return found;
      }
    }
    return found;
  }

  /** Shows every batch from byte `position` on to the visitor, until it has had enough; pauses where the pacer says so. */
  async #visit(segment: Segment, position: number, visitor: BatchVisitor): Promise<void> {
    const { disk, windowBytes } = this.#options;
    this.#checkCurrent([segment]);
    // A file of its own: the pool may close that of the segment while a read is under way.
    const file = disk.open(segment.log.path, 'existing');
    try {
      const reader = new BatchReader(file, position, segment.sizeBytes, windowBytes, {
        from: segment.baseOffset,
        upTo: this.#endOf(segment),
      });
      while (await reader.next()) {
        if (this.#options.isStopped()) throw new CompactionAborted();
        this.#bytesRead += reader.length;
        this.#unpaidBytes += reader.length;
        if (!(await this.#visitWindow(reader, visitor))) return;
        visitor.endWindow();
      }
    } catch (cause) {
      // What looks like damage may be a truncation.
      this.#checkCurrent([segment]);
      throw cause;
    } finally {
      file.close();
    }
  }

  async #visitWindow({ buf, view, length }: BatchReader, visitor: BatchVisitor): Promise<boolean> {
    for (let at = 0; at < length; at += sizeBytes(buf, at)) {
      if (!visitor.batch(buf, view, at)) return false;
      this.#work += sizeBytes(buf, at) + WORK_OF_RECORD_BYTES * recordCount(buf, at);
      if (this.#work < WORK_BETWEEN_LOOKS_BYTES) continue;
      const pause = this.#pace();
      if (pause !== null) await pause;
    }
    return true;
  }

  #pace(): Promise<void> | null {
    const bytes = this.#unpaidBytes;
    this.#unpaidBytes = 0;
    this.#work = 0;
    return this.#options.pacer.spend(bytes);
  }
}
