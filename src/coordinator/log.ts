/** The port between a coordinator and the internal topic that holds its state. */
import type { Int64 } from '../../protocol/int64.ts';

/** A record in Kafka's binary form; a null value is a tombstone. */
export interface CoordinatorRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** A record read back from the log. Buffers are views that live only as long as the call. */
export interface StoredRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
  /** -1 outside of a transaction; a coordinator's log knows no idempotent producer. */
  readonly producerId: Int64;
  readonly producerEpoch: number;
  /** What a control record says of the producer's transaction; null for an ordinary record or another kind of control. */
  readonly marker: 'commit' | 'abort' | null;
}

/** The producer's transaction that records are part of (KIP-98). */
export interface InTransaction {
  readonly producerId: Int64;
  readonly producerEpoch: number;
  /** The partition's verification of the producer (KIP-890), as storage's TransactionChecks has it. */
  readonly verification?: { readonly producerId: number } | null;
}

/** The control record that ends a producer's transaction in a partition. */
export interface EndMarker {
  readonly producerId: Int64;
  readonly producerEpoch: number;
  readonly result: 'commit' | 'abort';
  readonly coordinatorEpoch: number;
  /** The transaction.version that the transaction goes by. */
  readonly transactionVersion: number;
}

export interface CoordinatorLog {
  /**
   * Appends the records as one batch to the partition's log and gives the offset after the last one: at once where they are
   * committed at once (a single replica), else later. Throws or rejects with KafkaError where they are not in the log.
   * Once they are in it, it may reject only because this replica no longer leads, for then the state is reloaded. `within`:
   * the batch is part of a producer's transaction.
   */
  append(
    partition: number,
    records: readonly CoordinatorRecord[],
    nowMs: number,
    within?: InTransaction,
  ): number | Promise<number>;
  /** Appends the marker; gives the offset after it, as `append` does. */
  appendMarker(partition: number, marker: EndMarker, nowMs: number): number | Promise<number>;
  /** Calls back for each record from the log's start to its high watermark, in order. */
  read(partition: number, each: (record: StoredRecord) => void): Promise<void> | void;
}
