/**
 * A snapshot of the metadata log (KIP-630): all that the records below an offset amount to, as records.
 *
 *   <end offset, 20 digits>-<epoch, 10 digits>.checkpoint
 *
 *   control batch   SnapshotHeaderRecord: the time of the last record that the snapshot stands for;
 *                   from kraft.version 1 on also KRaftVersionRecord and VotersRecord (KIP-853)
 *   batches         the records, of at most 8 MiB each
 *   control batch   SnapshotFooterRecord
 *
 * Offsets within the file count from 0; the epoch of each batch is that of the snapshot. bootstrap.checkpoint has the same form. A
 * snapshot up to offset 0 has no records: with it a new cluster is told its voters.
 */
import { toNumber } from '../../protocol/int64.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import * as batch from '../../protocol/records/batch.ts';
import { checkBatches, wholeBatchesBytes } from '../../protocol/records/check.ts';
import {
  type ControlRecord,
  controlBatch,
  readControlRecord,
  snapshotFooterRecord,
} from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { BatchBuilder, type RecordInput } from '../../protocol/records/encode.ts';
import { type Quorum, snapshotHead } from './quorum.ts';

/** Which part of the log a snapshot stands for. */
export interface SnapshotId {
  /** The offset behind its last record. */
  readonly endOffset: number;
  /** The leader epoch of its last record. */
  readonly leaderEpoch: number;
}

/** Of a cluster that has no records yet. */
export const BOOTSTRAP_SNAPSHOT: SnapshotId = { endOffset: 0, leaderEpoch: 0 };

export interface SnapshotContent {
  /** When the last record that the snapshot stands for was appended. */
  readonly lastContainedLogTimestampMs: number;
  readonly controls: readonly ControlRecord[];
  readonly values: readonly Buffer[];
}

export const SNAPSHOT_SUFFIX = '.checkpoint';
/** Not finished; of no use. */
export const PARTIAL_SUFFIX = '.checkpoint.part';
/** What Kafka has given up and would delete a minute later. */
export const DELETED_SUFFIX = '.checkpoint.deleted';
const NAME = /^(\d{20})-(\d{10})\.checkpoint$/;

export function snapshotName({ endOffset, leaderEpoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(leaderEpoch).padStart(10, '0')}${SNAPSHOT_SUFFIX}`;
}

/** Null for any other file. */
export function snapshotIdOf(name: string): SnapshotId | null {
  const found = NAME.exec(name);
  return found === null ? null : { endOffset: Number(found[1]), leaderEpoch: Number(found[2]) };
}

/** As Kafka's raft client has it, for batches of the log and of snapshots. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** Lengths, deltas and attributes of one record; more than they take. */
const RECORD_OVERHEAD_BYTES = 24;
const RECORDS_A_TURN = 1024;

export interface SnapshotHead {
  readonly lastContainedLogTimestampMs: number;
  readonly leaderEpoch: number;
  readonly nowMs: number;
  /** At the end of the snapshot; null: it says nothing of it. */
  readonly quorum: Quorum | null;
}

/** The batches of a snapshot, one by one; in between null, where whoever writes it may let others run. */
export function* encodeSnapshot(
  values: Iterable<Buffer>,
  { lastContainedLogTimestampMs, leaderEpoch, nowMs, quorum }: SnapshotHead,
): Generator<Buffer | null> {
  const control = (records: readonly RecordInput[], baseOffset: number) =>
    controlBatch(records, { baseOffset, leaderEpoch, timestampMs: nowMs });
  const head = snapshotHead(lastContainedLogTimestampMs, quorum);
  yield control(head, 0);
  let offset = head.length;
  let builder = new BatchBuilder(offset);
  for (const value of values) {
    if (builder.recordCount > 0 && builder.sizeBytes + value.length + RECORD_OVERHEAD_BYTES > MAX_BATCH_BYTES) {
      yield builder.build({ leaderEpoch });
      builder = new BatchBuilder(offset);
    }
    builder.append({ value, timestamp: nowMs });
    if (offset++ % RECORDS_A_TURN === 0) yield null;
  }
  if (builder.recordCount > 0) yield builder.build({ leaderEpoch });
  yield control([snapshotFooterRecord({})], offset);
}

/** Reads a whole snapshot; values are views of `bytes`. Throws MalformedError for a damaged one. */
export function decodeSnapshot(bytes: Buffer): SnapshotContent {
  checkBytes(bytes);
  if (wholeBatchesBytes(bytes) !== bytes.length) throw new MalformedError('it is cut off');
  const values: Buffer[] = [];
  const controls: ControlRecord[] = [];
  for (let at = 0; at < bytes.length; at += batch.sizeBytes(bytes, at)) {
    const isControl = (batch.attributes(bytes, at) & batch.CONTROL_BIT) !== 0;
    for (const record of readRecords(bytes, at)) {
      if (isControl) controls.push(readControlRecord(record));
      else if (record.value !== null) values.push(record.value);
    }
  }
  if (controls.at(-1)?.type !== 'snapshot-footer') throw new MalformedError('it has no footer');
  return { lastContainedLogTimestampMs: timeIn(controls.at(0)), controls, values };
}

/** The time in the header, from the first bytes of a snapshot. Throws MalformedError. */
export function decodeSnapshotTime(bytes: Buffer): number {
  checkBytes(bytes);
  if (wholeBatchesBytes(bytes) === 0) throw new MalformedError('it is cut off');
  const [first] = readRecords(bytes);
  return timeIn(first === undefined ? undefined : readControlRecord(first));
}

function checkBytes(bytes: Buffer): void {
  const problem = checkBatches(bytes);
  if (problem !== null) throw new MalformedError(problem.message);
}

function timeIn(header: ControlRecord | undefined): number {
  if (header?.type !== 'snapshot-header') throw new MalformedError('it has no header');
  return toNumber(header.value.lastContainedLogTimestamp);
}
