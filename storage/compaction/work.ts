/** Reads and writes the files of one compaction, in short slices (Kafka: Cleaner). */
import { recordCount, sizeBytes } from '../../protocol/records/batch.ts';
import type { Disk } from '../disk.ts';
import { FilePool } from '../file-pool.ts';
import { CLEANED_SUFFIX } from '../names.ts';
import { Segment } from '../segment.ts';
import { BatchFilter } from './batch-filter.ts';
import { BatchReader } from './batch-reader.ts';
import { MapBuilder } from './map-builder.ts';
import { OffsetMap } from './offset-map.ts';
import type { Pacer } from './pacer.ts';
import { SegmentWriter } from './segment-writer.ts';
import { CleanedTransactions } from './transactions.ts';
import {
  CompactionAborted,
  type CompactionWorker,
  type GroupOrder,
  type GroupResult,
  type MapOrder,
  type MapState,
  type SourceSegment,
  type WorkControl,
  type WorkSettings,
} from './worker.ts';

/** The clock is looked at after this much work, in bytes; a record counts as some bytes more than it has. */
const WORK_BETWEEN_LOOKS_BYTES = 16_384;
const WORK_OF_RECORD_BYTES = 64;
/** The four of the segment that is written. */
const OPEN_FILES = 4;

interface BatchVisitor {
  /** False: no more of them. */
  batch(buf: Buffer, view: DataView, at: number): boolean;
  /** The bytes shown so far are about to be overwritten. */
  endWindow(): void;
}

export class CompactionWork implements CompactionWorker {
  readonly #disk: Disk;
  readonly #settings: WorkSettings;
  readonly #control: Pick<WorkControl, 'mayGoOn'>;
  readonly #pacer: Pacer;
  readonly #map: OffsetMap;
  readonly #builder: MapBuilder;
  readonly #transactions = new CleanedTransactions();
  #bytesRead = 0;
  /** Read or written, and not told to the pacer yet. */
  #unpaidBytes = 0;
  /** Since the pacer was last asked. */
  #work = 0;

  constructor(disk: Disk, settings: WorkSettings, control: Pick<WorkControl, 'mayGoOn'>, pacer: Pacer) {
    this.#disk = disk;
    this.#settings = settings;
    this.#control = control;
    this.#pacer = pacer;
    this.#map = new OffsetMap(settings.maxKeys, settings.mapLoadFactor, settings.secret);
    const transactions = new CleanedTransactions();
    transactions.add(settings.aborted);
    this.#builder = new MapBuilder(this.#map, transactions, settings.firstDirtyOffset);
  }

  async map({ segment, fromPosition }: MapOrder): Promise<MapState> {
    const before = this.#bytesRead;
    let isFull = false;
    await this.#visit(segment, fromPosition, {
      batch: (buf, view, at) => {
        isFull = !this.#builder.add(buf, view, at);
        return !isFull;
      },
      endWindow() {},
    });
    if (!isFull) this.#map.latestOffset = segment.endOffset - 1;
    const { size: keys, latestOffset } = this.#map;
    return { isFull, endOffset: latestOffset + 1, keys, bytesRead: this.#bytesRead - before };
  }

  async clean({ sources, producers }: GroupOrder): Promise<GroupResult> {
    const { dir, firstUncleanableOffset: endOffset, nowMs, deleteRetentionMs } = this.#settings;
    const transactions = this.#transactions;
    const before = this.#bytesRead;
    const [{ segment: first }] = sources;
    const cleaned = new Segment(
      new FilePool(this.#disk, OPEN_FILES),
      dir,
      first.baseOffset,
      nowMs,
      null,
      CLEANED_SUFFIX,
    );
    const filter = new BatchFilter({ map: this.#map, transactions, producers, endOffset, nowMs, deleteRetentionMs });
    try {
      cleaned.createFile();
      await this.#write(sources, filter, cleaned);
      const { recordsRead, recordsKept } = filter;
      return { bytesRead: this.#bytesRead - before, bytesWritten: cleaned.sizeBytes, recordsRead, recordsKept };
    } finally {
      cleaned.close();
    }
  }

  async close(): Promise<void> {}

  async #write(sources: GroupOrder['sources'], filter: BatchFilter, cleaned: Segment): Promise<void> {
    const { windowBytes, indexIntervalBytes } = this.#settings;
    const writer = new SegmentWriter(cleaned, windowBytes, indexIntervalBytes);
    this.#transactions.index = cleaned.transactionIndex;
    for (const { segment, aborted } of sources) {
      this.#transactions.add(aborted);
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
    cleaned.finish();
    // One after the other: whoever else waits for the disk has threads of the pool left.
    for (const file of cleaned.durableFiles(true)) await file.handle.sync();
  }

  /** Shows every batch from byte `position` on to the visitor, until it has had enough; pauses where the pacer says so. */
  async #visit(segment: SourceSegment, position: number, visitor: BatchVisitor): Promise<void> {
    this.#checkWanted();
    const file = this.#disk.open(segment.path, 'existing');
    try {
      const reader = new BatchReader(file, position, segment.sizeBytes, this.#settings.windowBytes, {
        from: segment.baseOffset,
        upTo: segment.endOffset,
      });
      while (await reader.next()) {
        this.#checkWanted();
        this.#bytesRead += reader.length;
        this.#unpaidBytes += reader.length;
        if (!(await this.#visitWindow(reader, visitor))) return;
        visitor.endWindow();
      }
    } finally {
      file.close();
    }
  }

  #checkWanted(): void {
    if (!this.#control.mayGoOn()) throw new CompactionAborted();
  }

  async #visitWindow({ buf, view, length }: BatchReader, visitor: BatchVisitor): Promise<boolean> {
    for (let at = 0; at < length; at += sizeBytes(buf, at)) {
      if (!visitor.batch(buf, view, at)) return false;
      this.#work += sizeBytes(buf, at) + WORK_OF_RECORD_BYTES * recordCount(buf, at);
      if (this.#work < WORK_BETWEEN_LOOKS_BYTES) continue;
      const pause = this.#pace();
      if (pause !== null) await this.#rest(pause);
    }
    return true;
  }

  #pace(): Promise<void> | null {
    const bytes = this.#unpaidBytes;
    this.#unpaidBytes = 0;
    this.#work = 0;
    return this.#pacer.spend(bytes);
  }

  async #rest(firstPause: Promise<void>): Promise<void> {
    for (let pause: Promise<void> | null = firstPause; pause !== null; pause = this.#pacer.spend(0)) {
      await pause;
      this.#checkWanted();
    }
  }
}
