/**
 * Control records: what brokers and controllers write into a log beside the data, in batches with the control bit.
 *
 *   key    version int16 (0), type int16
 *   value  of ABORT and COMMIT: version int16, coordinatorEpoch int32 (KIP-98); of the KRaft types a message whose first
 *          field is its version (KIP-595, KIP-630, KIP-853)
 */
import { codec, encode, versionsOf } from '../compile.ts';
import type { Int64 } from '../int64.ts';
import { MalformedError } from '../malformed.ts';
import { Reader } from '../reader.ts';
import type { Fields, InputOf, Message, MessageOf, ReadOf } from '../schema.ts';
import { Writer } from '../writer.ts';
import {
  EndTxnMarker,
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from './control-records.ts';
import { encodeBatch, type RecordInput } from './encode.ts';
import type { KafkaRecord } from './record.ts';

export const ControlRecordType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const;

const KEY_VERSION = 0;
const KEY_BYTES = 4;

/** A control record that was read; `unknown` is to be skipped, it comes from a newer Kafka. */
export type ControlRecord =
  | { readonly type: 'abort' | 'commit'; readonly value: MessageOf<typeof EndTxnMarker> }
  | { readonly type: 'leader-change'; readonly value: MessageOf<typeof LeaderChangeMessage> }
  | { readonly type: 'snapshot-header'; readonly value: MessageOf<typeof SnapshotHeaderRecord> }
  | { readonly type: 'snapshot-footer'; readonly value: MessageOf<typeof SnapshotFooterRecord> }
  | { readonly type: 'kraft-version'; readonly value: MessageOf<typeof KRaftVersionRecord> }
  | { readonly type: 'kraft-voters'; readonly value: MessageOf<typeof VotersRecord> }
  | { readonly type: 'unknown'; readonly value: number };

/** The type number in a control record's key. Throws MalformedError. */
export function controlType(key: Buffer | null): number {
  if (key === null || key.length < KEY_BYTES) throw new MalformedError('a control record without a type');
  if (key.readInt16BE(0) < 0) throw new MalformedError(`control record version ${key.readInt16BE(0)}`);
  return key.readInt16BE(2);
}

/** Reads a record of a control batch. Throws MalformedError. */
export function readControlRecord(record: Pick<KafkaRecord, 'key' | 'value'>): ControlRecord {
  const type = controlType(record.key);
  const value = record.value ?? Buffer.alloc(0);
  switch (type) {
    case ControlRecordType.ABORT:
      return { type: 'abort', value: readMarker(value) };
    case ControlRecordType.COMMIT:
      return { type: 'commit', value: readMarker(value) };
    case ControlRecordType.LEADER_CHANGE:
      return { type: 'leader-change', value: readVersioned(LeaderChangeMessage, value) };
    case ControlRecordType.SNAPSHOT_HEADER:
      return { type: 'snapshot-header', value: readVersioned(SnapshotHeaderRecord, value) };
    case ControlRecordType.SNAPSHOT_FOOTER:
      return { type: 'snapshot-footer', value: readVersioned(SnapshotFooterRecord, value) };
    case ControlRecordType.KRAFT_VERSION:
      return { type: 'kraft-version', value: readVersioned(KRaftVersionRecord, value) };
    case ControlRecordType.KRAFT_VOTERS:
      return { type: 'kraft-voters', value: readVersioned(VotersRecord, value) };
    default:
      return { type: 'unknown', value: type };
  }
}

/** Fields that a later version of the marker adds are passed over, as in Kafka. */
function readMarker(value: Buffer): MessageOf<typeof EndTxnMarker> {
  const reader = new Reader(value);
  const version = reader.int16();
  if (version < 0) throw new MalformedError(`transaction marker version ${version}`);
  return codec(EndTxnMarker, 0).read(reader);
}

/** The version is the message's first field; one above those we know is read as the highest that we know. */
function readVersioned<F extends Fields>(message: Message<F>, value: Buffer): ReadOf<F> {
  const version = new Reader(value).int16();
  if (version < 0) throw new MalformedError(`${message.name} version ${version}`);
  return codec(message, Math.min(version, versionsOf(message)[1])).read(new Reader(value));
}

function keyOf(type: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeInt16BE(KEY_VERSION, 0);
  key.writeInt16BE(type, 2);
  return key;
}

export interface TransactionMarker {
  readonly commit: boolean;
  readonly coordinatorEpoch: number;
  readonly producerId: Int64;
  readonly producerEpoch: number;
  readonly timestampMs: number;
}

/** The batch that ends a transaction in a partition; base offset and leader epoch are set by the append. */
export function transactionMarkerBatch(marker: TransactionMarker): Buffer {
  const value = new Writer(8);
  value.int16(0);
  value.int32(marker.coordinatorEpoch);
  const type = marker.commit ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
  return encodeBatch([{ key: keyOf(type), value: value.toBuffer(), timestamp: marker.timestampMs }], {
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    transactional: true,
    control: true,
  });
}

/**
 * Records for `controlBatch`. A leader change is always version 0: Kafka 4.3.1 declares a version 1 with directory ids, but
 * neither writes nor reads it.
 */
export const leaderChangeRecord = (value: InputOf<typeof LeaderChangeMessage> & { version?: 0 }): RecordInput => ({
  key: keyOf(ControlRecordType.LEADER_CHANGE),
  value: encode(LeaderChangeMessage, 0, value),
});
export const snapshotHeaderRecord = (value: InputOf<typeof SnapshotHeaderRecord>): RecordInput => ({
  key: keyOf(ControlRecordType.SNAPSHOT_HEADER),
  value: encode(SnapshotHeaderRecord, value.version ?? 0, value),
});
export const snapshotFooterRecord = (value: InputOf<typeof SnapshotFooterRecord>): RecordInput => ({
  key: keyOf(ControlRecordType.SNAPSHOT_FOOTER),
  value: encode(SnapshotFooterRecord, value.version ?? 0, value),
});
export const kraftVersionRecord = (value: InputOf<typeof KRaftVersionRecord>): RecordInput => ({
  key: keyOf(ControlRecordType.KRAFT_VERSION),
  value: encode(KRaftVersionRecord, value.version ?? 0, value),
});
export const votersRecord = (value: InputOf<typeof VotersRecord>): RecordInput => ({
  key: keyOf(ControlRecordType.KRAFT_VOTERS),
  value: encode(VotersRecord, value.version ?? 0, value),
});

/** A control batch of KRaft records, for `__cluster_metadata` and its snapshots. */
export function controlBatch(
  records: readonly RecordInput[],
  at: { readonly baseOffset: number; readonly leaderEpoch: number; readonly timestampMs: number },
): Buffer {
  const timed = records.map((record) => ({ ...record, timestamp: at.timestampMs }));
  return encodeBatch(timed, { baseOffset: at.baseOffset, leaderEpoch: at.leaderEpoch, control: true });
}
