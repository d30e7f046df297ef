import type { Disk } from './disk.ts';
import type { LogConfig } from './log-config.ts';

export interface StorageClock {
  /** Wall-clock time in milliseconds since the Unix epoch. */
  nowMs(): number;
}

export interface StorageLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface LogOptions {
  disk: Disk;
  /** The folder of the partition; made when it is not there. */
  dir: string;
  topic: string;
  partition: number;
  /** As in partition.metadata, which is written when it is missing. Null: whatever the file says. */
  topicId: string | null;
  config: LogConfig;
  clock: StorageClock;
  /** From recovery-point-offset-checkpoint and log-start-offset-checkpoint; 0 when they say nothing. */
  recoveryPoint?: number;
  logStartOffset?: number;
  /** Whether the last shutdown was clean (.kafka_cleanshutdown): then nothing is scanned. */
  clean: boolean;
  logger?: StorageLogger;
}

/** Who appends (Kafka's AppendOrigin): decides how much of the producer state is checked. */
export type AppendOrigin = 'client' | 'coordinator' | 'raft';

export interface AppendResult {
  firstOffset: number;
  lastOffset: number;
  /** -1 with CreateTime. */
  logAppendTimeMs: number;
  logStartOffset: number;
  /** The batch was in the log already; the offsets are those of the first time. */
  duplicate: boolean;
}

export interface OffsetAndTimestamp {
  timestampMs: number;
  offset: number;
  /** -1 when unknown. */
  leaderEpoch: number;
}

export interface AbortedTransaction {
  producerId: number;
  firstOffset: number;
}

export interface ActiveProducer {
  producerId: number;
  producerEpoch: number;
  lastSequence: number;
  lastTimestampMs: number;
  coordinatorEpoch: number;
  /** -1 when none is open. */
  currentTransactionStartOffset: number;
}

export declare class Log {
  static open(options: LogOptions): Log;
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string | null;
  readonly dir: string;
  readonly config: LogConfig;
  updateConfig(config: LogConfig): void;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly recoveryPoint: number;
  /** Start of the first transaction that is open, or whose marker lies at or above the high watermark. */
  readonly firstUnstableOffset: number | null;
  readonly sizeBytes: number;
  /** The epoch of the newest record or assignment; -1 when there is none. */
  readonly latestEpoch: number;
  /** Notes that a leader begins `epoch` at the log end (Kafka: on becoming leader). */
  assignEpoch(epoch: number): void;
  epochForOffset(offset: number): number;
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number };
  /** Keeps transactions unstable until their marker is below the high watermark; cheap to call after each append. */
  onHighWatermark(highWatermark: number): void;
  hasOngoingTransaction(producerId: number): boolean;
  appendAsLeader(
    batches: Buffer,
    leaderEpoch: number,
    origin?: AppendOrigin,
    transactionVersion?: number,
  ): AppendResult;
  appendAsFollower(batches: Buffer): void;
  read(offset: number, maxBytes: number, options: { upTo: number; minOneBatch: boolean }): { records: Buffer };
  /** Bytes of whole batches in [fromOffset, upTo), for fetch.min.bytes; cheap. */
  bytesBetween(fromOffset: number, upTo: number): number;
  offsetForTimestamp(timestampMs: number): OffsetAndTimestamp | null;
  maxTimestamp(): OffsetAndTimestamp | null;
  abortedTransactions(fromOffset: number, upTo: number): AbortedTransaction[];
  producers(): ActiveProducer[];
  removeExpiredProducers(nowMs: number): void;
  advanceLogStartOffset(offset: number): boolean;
  truncateTo(offset: number): boolean;
  truncateFullyAndStartAt(offset: number, logStartOffset?: number): void;
  deleteOldSegments(nowMs: number, highWatermark: number): number;
  flush(): Promise<void>;
  flushSync(): void;
  close(): void;
}
