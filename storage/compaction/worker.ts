/**
 * What a compaction asks of whoever reads and writes its files: CompactionWork, in this thread or (thread.ts) in one of its own. All that goes
 * back and forth is plain data, so that it can pass from thread to thread.
 */
import type { AbortedTransactionEntry } from '../transaction-index.ts';
import type { HashSecret } from './key-hash.ts';

/** The log has changed under the compaction, or is closed: nothing is wrong, and the next one begins anew. */
export class CompactionAborted extends Error {}

/** What holds for the whole of one compaction. */
export interface WorkSettings {
  /** The folder of the log. */
  readonly dir: string;
  /** All below has been compacted before. */
  readonly firstDirtyOffset: number;
  /** Where a segment begins; nothing from there on is touched. */
  readonly firstUncleanableOffset: number;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  readonly indexIntervalBytes: number;
  /** Keys that the map has room for, and how full it may get, 0 to 1. */
  readonly maxKeys: number;
  readonly mapLoadFactor: number;
  /** Of the windows through which files are read; there are two of them, and one for writing. */
  readonly windowBytes: number;
  readonly secret: HashSecret;
  /** Transactions that have records or their marker in the dirty part. */
  readonly aborted: readonly AbortedTransactionEntry[];
}

/** A segment of the log, which does not change any more. */
export interface SourceSegment {
  readonly path: string;
  readonly baseOffset: number;
  /** The base offset of the segment that follows. */
  readonly endOffset: number;
  readonly sizeBytes: number;
}

export interface MapOrder {
  readonly segment: SourceSegment;
  /** Where a batch begins; what is before it holds nothing that is dirty (bytes). */
  readonly fromPosition: number;
}

export interface MapState {
  /** The map is full: it ends with the last key that fitted. */
  readonly isFull: boolean;
  /** All records below have been looked at. */
  readonly endOffset: number;
  readonly keys: number;
  readonly bytesRead: number;
}

/** What decides whether a batch is its producer's last one. */
export interface ProducerEnd {
  readonly epoch: number;
  /** -1 where only a marker is left. */
  readonly lastOffset: number;
}

export interface GroupOrder {
  /** Neighbours, of which one segment is made; each with the aborted transactions that have records or their marker in it. */
  readonly sources: readonly {
    readonly segment: SourceSegment;
    readonly aborted: readonly AbortedTransactionEntry[];
  }[];
  /** By producer id. */
  readonly producers: ReadonlyMap<number, ProducerEnd>;
}

export interface GroupResult {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly recordsRead: number;
  readonly recordsKept: number;
}

export interface CompactionWorker {
  /** Takes the newest offsets of the segment's keys into the map. Segments come in order, until the map is full. */
  map(order: MapOrder): Promise<MapState>;
  /** Writes durable .cleaned files with what the map leaves of the group. Groups come in order. */
  clean(order: GroupOrder): Promise<GroupResult>;
  /** Gives back what the worker holds; not while it works. */
  close(): Promise<void>;
}

/** What a worker asks while it works. */
export interface WorkControl {
  /** False: nothing of the work will be used; it ends with CompactionAborted. */
  mayGoOn(): boolean;
  /** Read and written together (log.cleaner.io.max.bytes.per.second); may change while the work goes on. */
  maxBytesPerSecond(): number;
}

export type StartWorker = (settings: WorkSettings, control: WorkControl) => CompactionWorker;
