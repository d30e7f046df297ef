/**
 * The records of `__share_group_state` (KIP-932). A snapshot is all of a share partition's state; updates say what changed since.
 */
import { toNumber } from '../../../protocol/int64.ts';
import { Reader } from '../../../protocol/reader.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import { ShareSnapshotKey, ShareSnapshotValue } from '../../../protocol/shares/share-snapshot.ts';
import { ShareUpdateKey, ShareUpdateValue } from '../../../protocol/shares/share-update.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
import { RecordForm } from '../../coordinator/record-form.ts';
import type { SharePartitionKey } from '../share-partition-key.ts';
import type { StateBatch } from '../state-batch.ts';

/** What changes with an update: the epoch of the leader that wrote it, and how far the group has come. */
export interface ShareUpdate {
  /** Of the snapshot that the update follows. */
  readonly snapshotEpoch: number;
  readonly leaderEpoch: number;
  /** -1: as it was, or, in a snapshot, not decided yet. */
  readonly startOffset: number;
  readonly deliveryCompleteCount: number;
  readonly stateBatches: readonly StateBatch[];
}

export interface ShareSnapshot extends ShareUpdate {
  readonly stateEpoch: number;
  readonly createTimestampMs: number;
  readonly writeTimestampMs: number;
}

/** A snapshot without value deletes the share partition. */
export type ShareRecord =
  | { readonly type: 'snapshot'; readonly key: SharePartitionKey; readonly value: ShareSnapshot | null }
  | { readonly type: 'update'; readonly key: SharePartitionKey; readonly value: ShareUpdate };

/** In the versions that Kafka 4.3 writes. */
const SNAPSHOT = new RecordForm(ShareSnapshotKey, ShareSnapshotValue, 0);
const UPDATE = new RecordForm(ShareUpdateKey, ShareUpdateValue, 0);

export function encodeRecord(record: ShareRecord): CoordinatorRecord {
  if (record.type === 'update') return UPDATE.encode(record.key, record.value);
  if (record.value === null) return SNAPSHOT.encode(record.key, null);
  const { createTimestampMs: createTimestamp, writeTimestampMs: writeTimestamp, ...rest } = record.value;
  return SNAPSHOT.encode(record.key, { ...rest, createTimestamp, writeTimestamp });
}

/** Reads a record back; null for a kind that is not known. Throws MalformedError. */
export function decodeRecord(key: Buffer, value: Buffer | null): ShareRecord | null {
  const reader = new Reader(key);
  const kind = reader.int16();
  if (kind === SNAPSHOT.kind) {
    return { type: 'snapshot', key: keyOf(SNAPSHOT.decodeKey(reader)), value: value && decodeSnapshot(value) };
  }
  // an update cannot be deleted by itself
  if (kind !== UPDATE.kind || value === null) return null;
  return { type: 'update', key: keyOf(UPDATE.decodeKey(reader)), value: updateOf(UPDATE.decodeValue(value)) };
}

const keyOf = ({ groupId, topicId, partition }: SharePartitionKey): SharePartitionKey => ({
  groupId,
  topicId,
  partition,
});

function decodeSnapshot(buffer: Buffer): ShareSnapshot {
  const value = SNAPSHOT.decodeValue(buffer);
  return {
    ...updateOf(value),
    stateEpoch: value.stateEpoch,
    createTimestampMs: toNumber(value.createTimestamp),
    writeTimestampMs: toNumber(value.writeTimestamp),
  };
}

function updateOf(value: MessageOf<typeof ShareUpdateValue>): ShareUpdate {
  const { snapshotEpoch, leaderEpoch, deliveryCompleteCount } = value;
  const startOffset = toNumber(value.startOffset);
  const stateBatches = value.stateBatches.map(({ firstOffset, lastOffset, deliveryState, deliveryCount }) => ({
    firstOffset: toNumber(firstOffset),
    lastOffset: toNumber(lastOffset),
    deliveryState,
    deliveryCount,
  }));
  return { snapshotEpoch, leaderEpoch, startOffset, deliveryCompleteCount, stateBatches };
}
