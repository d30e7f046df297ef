/**
 * One compaction of one log (Kafka: Cleaner). Of the dirty part each key's newest offset is put into a map; then all segments up to there are
 * written anew without the records that the map knows newer ones of, and take the place of the old ones group by group.
 *
 * Appends and reads go on meanwhile: a worker does the reading and writing (worker.ts), on segments that do not change any more. What
 * changes the log itself is here.
 */
import type { Log } from '../log.ts';
import { LogError } from '../log-error.ts';
import type { Segment } from '../segment.ts';
import type { AbortedTransactionEntry } from '../transaction-index.ts';
import { groupSegments } from './grouping.ts';
import type { HashSecret } from './key-hash.ts';
import { ENTRY_BYTES } from './offset-map.ts';
import {
  CompactionAborted,
  type CompactionWorker,
  type GroupOrder,
  type MapState,
  type ProducerEnd,
  type SourceSegment,
  type StartWorker,
} from './worker.ts';

export interface CompactionOptions {
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
  readonly startWorker: StartWorker;
  /** Read and written together. */
  maxBytesPerSecond(): number;
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
  /** What the worker is busy with. */
  #underWork: readonly Segment[] = [];
  #total = { bytesRead: 0, bytesWritten: 0, recordsRead: 0, recordsKept: 0 };

  constructor(options: CompactionOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#truncations = options.log.truncations;
  }

  async run(): Promise<CompactionResult> {
    // A record may only go for one that outlasts a power cut.
    await this.#log.flush(this.#options.firstUncleanableOffset);
    // Nor may a recovery go through what is left: a snapshot has transactions open whose markers are gone then.
    await this.#options.checkpointRecoveryPoint();
    const worker = this.#startWorker();
    try {
      return await this.#runWith(worker);
    } finally {
      await worker.close();
    }
  }

  #startWorker(): CompactionWorker {
    const { firstDirtyOffset, firstUncleanableOffset, nowMs, mapLoadFactor, windowBytes, secret } = this.#options;
    const { deleteRetentionMs, indexIntervalBytes } = this.#log.config;
    const range = { firstDirtyOffset, firstUncleanableOffset };
    const aborted = this.#abortedBetween(firstDirtyOffset, firstUncleanableOffset);
    const retention = { nowMs, deleteRetentionMs, indexIntervalBytes };
    const memory = { maxKeys: this.#maxKeys(), mapLoadFactor, windowBytes, secret };
    return this.#options.startWorker(
      { dir: this.#log.dir, ...range, ...retention, ...memory, aborted },
      {
        mayGoOn: () => !this.#options.isStopped() && this.#isCurrent(),
        maxBytesPerSecond: () => this.#options.maxBytesPerSecond(),
      },
    );
  }

  /** Room for as many keys as there can be, within the bound. */
  #maxKeys(): number {
    const { firstDirtyOffset, firstUncleanableOffset, mapBytes, mapLoadFactor } = this.#options;
    const most = Math.floor(Math.floor(mapBytes / ENTRY_BYTES) * mapLoadFactor);
    if (most < 1)
      throw new LogError('KAFKA_STORAGE_ERROR', `no key fits into ${mapBytes} bytes of log.cleaner.dedupe.buffer.size`);
    return Math.min(most, firstUncleanableOffset - firstDirtyOffset);
  }

  async #runWith(worker: CompactionWorker): Promise<CompactionResult> {
    const { endOffset, keys } = await this.#buildMap(worker);
    const segments = this.#segmentsBelow(endOffset);
    for (const group of groupSegments(segments, this.#log.config, this.#options.firstUncleanableOffset)) {
      await this.#cleanGroup(worker, group);
    }
    if (this.#log.truncations !== this.#truncations) throw new CompactionAborted();
    return { endOffset, keys, ...this.#total };
  }

  #segmentsBelow(offset: number): Segment[] {
    return this.#log.segments.filter((segment) => segment.baseOffset < offset);
  }

  async #buildMap(worker: CompactionWorker): Promise<MapState> {
    const { firstDirtyOffset, firstUncleanableOffset } = this.#options;
    let state: MapState = { isFull: false, endOffset: 0, keys: 0, bytesRead: 0 };
    for (const segment of this.#segmentsBelow(firstUncleanableOffset)) {
      if (this.#endOf(segment) <= firstDirtyOffset) continue;
      segment.checkIndexes();
      const fromPosition = segment.offsetIndex.lookup(firstDirtyOffset);
      state = await this.#work([segment], () => worker.map({ segment: this.#source(segment), fromPosition }));
      this.#total.bytesRead += state.bytesRead;
      if (state.isFull) break;
    }
    return state;
  }

  async #cleanGroup(worker: CompactionWorker, group: readonly Segment[]): Promise<void> {
    const [{ baseOffset }] = group;
    this.#checkCurrent(group);
    this.#log.removeCleaned(baseOffset);
    try {
      const done = await this.#work(group, () => worker.clean(this.#orderOf(group)));
      this.#total.bytesRead += done.bytesRead;
      this.#total.bytesWritten += done.bytesWritten;
      this.#total.recordsRead += done.recordsRead;
      this.#total.recordsKept += done.recordsKept;
      await this.#log.replaceSegments(group);
    } catch (cause) {
      this.#log.removeCleaned(baseOffset);
      throw cause;
    }
  }

  #orderOf(group: readonly Segment[]): GroupOrder {
    const sources = group.map((segment) => {
      const source = this.#source(segment);
      return { segment: source, aborted: this.#abortedBetween(source.baseOffset, source.endOffset) };
    });
    return { sources, producers: this.#producerEnds() };
  }

  /** By producer id. Those that come later have nothing in the segments that are being compacted. */
  #producerEnds(): Map<number, ProducerEnd> {
    const ends = new Map<number, ProducerEnd>();
    for (const [id, { epoch, batches }] of this.#log.producerEntries) {
      ends.set(id, { epoch, lastOffset: batches.at(-1)?.lastOffset ?? -1 });
    }
    return ends;
  }

  #source(segment: Segment): SourceSegment {
    const { baseOffset, sizeBytes, log } = segment;
    return { path: log.path, baseOffset, endOffset: this.#endOf(segment), sizeBytes };
  }

  /** Lets the worker do something with `segments`, which must not have changed until it is done. */
  async #work<Result>(segments: readonly Segment[], task: () => Promise<Result>): Promise<Result> {
    this.#checkCurrent(segments);
    this.#underWork = segments;
    try {
      return await task();
    } finally {
      // Also before any error: what looks like damage may be a truncation.
      this.#checkCurrent(segments);
    }
  }

  #checkCurrent(segments: readonly Segment[]): void {
    if (!this.#log.canReplace(segments, this.#truncations)) throw new CompactionAborted();
  }

  #isCurrent(): boolean {
    return this.#log.canReplace(this.#underWork, this.#truncations);
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
}
