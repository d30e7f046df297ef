/**
 * The fixed layouts of Kafka's files, told to binary-parser and to nobody else: what the broker reads with its own hands (storage/,
 * protocol/records/batch.ts) is shown here by another reader, so that a person who doubts one has the other.
 */
import { Parser } from 'binary-parser';

const bigEndian = () => new Parser().endianness('big');

/** A layout of a fixed size, in bytes. */
export interface Layout<T> {
  readonly sizeBytes: number;
  read(buf: Buffer): T;
}

/** binary-parser knows the fields by their names only; the type says what it makes of them. */
function layout<T>(parser: Parser, sizeBytes: number): Layout<T> {
  return { sizeBytes, read: (buf) => parser.parse(buf) as T };
}

/** A record batch of format v2 up to its records (KIP-98). `batchLength` counts from `partitionLeaderEpoch` on. */
export interface BatchHeader {
  readonly baseOffset: bigint;
  readonly batchLength: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

export const batchHeader = layout<BatchHeader>(
  bigEndian()
    .int64('baseOffset')
    .int32('batchLength')
    .int32('partitionLeaderEpoch')
    .int8('magic')
    .uint32('crc')
    .int16('attributes')
    .int32('lastOffsetDelta')
    .int64('baseTimestamp')
    .int64('maxTimestamp')
    .int64('producerId')
    .int16('producerEpoch')
    .int32('baseSequence')
    .int32('recordCount'),
  61,
);

/** What batches of every format begin with. */
export interface BatchPrefix {
  readonly offset: bigint;
  readonly length: number;
  readonly magic: number;
}

export const batchPrefix = layout<BatchPrefix>(bigEndian().int64('offset').int32('length').seek(4).int8('magic'), 17);

export interface OffsetIndexEntry {
  readonly relativeOffset: number;
  readonly position: number;
}

export const offsetIndexEntry = layout<OffsetIndexEntry>(bigEndian().int32('relativeOffset').int32('position'), 8);

export interface TimeIndexEntry {
  readonly timestamp: bigint;
  readonly relativeOffset: number;
}

export const timeIndexEntry = layout<TimeIndexEntry>(bigEndian().int64('timestamp').int32('relativeOffset'), 12);

export interface TransactionIndexEntry {
  readonly version: number;
  readonly producerId: bigint;
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
  readonly lastStableOffset: bigint;
}

export const transactionIndexEntry = layout<TransactionIndexEntry>(
  bigEndian().int16('version').int64('producerId').int64('firstOffset').int64('lastOffset').int64('lastStableOffset'),
  34,
);

/** The CRC-32C covers all from `count` on. */
export interface SnapshotHeader {
  readonly version: number;
  readonly crc: number;
  readonly count: number;
}

export const snapshotHeader = layout<SnapshotHeader>(bigEndian().int16('version').uint32('crc').int32('count'), 10);

export interface SnapshotEntry {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastOffset: bigint;
  readonly offsetDelta: number;
  readonly timestamp: bigint;
  readonly coordinatorEpoch: number;
  readonly currentTransactionFirstOffset: bigint;
}

export const snapshotEntry = layout<SnapshotEntry>(
  bigEndian()
    .int64('producerId')
    .int16('producerEpoch')
    .int32('lastSequence')
    .int64('lastOffset')
    .int32('offsetDelta')
    .int64('timestamp')
    .int32('coordinatorEpoch')
    .int64('currentTransactionFirstOffset'),
  46,
);
