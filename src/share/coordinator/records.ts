/**
 * The records of `__share_group_state` and their binary form: key and value each begin with an int16, in the key the kind of
 * record, in the value its version. A snapshot is all of a share partition's state; updates say what changed since.
 */
import { codec } from '../../../protocol/compile.ts';
import { toNumber } from '../../../protocol/int64.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import { Reader } from '../../../protocol/reader.ts';
import type { InputOf, Message, MessageOf } from '../../../protocol/schema.ts';
import { ShareSnapshotKey, ShareSnapshotValue } from '../../../protocol/shares/share-snapshot.ts';
import { ShareUpdateKey, ShareUpdateValue } from '../../../protocol/shares/share-update.ts';
import { Writer } from '../../../protocol/writer.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
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

const SNAPSHOT = ShareSnapshotKey.apiKey as number;
const UPDATE = ShareUpdateKey.apiKey as number;
/** The version of both values that Kafka 4.3 writes. */
const VALUE_VERSION = 0;

export function encodeRecord(record: ShareRecord): CoordinatorRecord {
  if (record.type === 'update') {
    const key = prefixed(UPDATE, ShareUpdateKey, 0, record.key);
    return { key, value: prefixed(VALUE_VERSION, ShareUpdateValue, VALUE_VERSION, record.value) };
  }
  const key = prefixed(SNAPSHOT, ShareSnapshotKey, 0, record.key);
  if (record.value === null) return { key, value: null };
  const { createTimestampMs: createTimestamp, writeTimestampMs: writeTimestamp, ...rest } = record.value;
  const value = { ...rest, createTimestamp, writeTimestamp };
  return { key, value: prefixed(VALUE_VERSION, ShareSnapshotValue, VALUE_VERSION, value) };
}

function prefixed<M extends Message>(prefix: number, message: M, version: number, fields: InputOf<M>): Buffer {
  const writer = new Writer(128);
  writer.int16(prefix);
  codec(message, version).write(writer, fields);
  return writer.toBuffer();
}

/** Reads a record back; null for a kind that is not known. Throws MalformedError. */
export function decodeRecord(key: Buffer, value: Buffer | null): ShareRecord | null {
  const reader = new Reader(key);
  const kind = reader.int16();
  if (kind === SNAPSHOT) {
    const of = codec(ShareSnapshotKey, 0).read(reader) as MessageOf<typeof ShareSnapshotKey>;
    return { type: 'snapshot', key: keyOf(of), value: value && decodeSnapshot(value) };
  }
  // an update cannot be deleted by itself
  if (kind !== UPDATE || value === null) return null;
  const of = codec(ShareUpdateKey, 0).read(reader) as MessageOf<typeof ShareUpdateKey>;
  return { type: 'update', key: keyOf(of), value: updateOf(unprefixed(ShareUpdateValue, value)) };
}

const keyOf = ({ groupId, topicId, partition }: SharePartitionKey): SharePartitionKey => ({
  groupId,
  topicId,
  partition,
});

function decodeSnapshot(buffer: Buffer): ShareSnapshot {
  const value = unprefixed(ShareSnapshotValue, buffer);
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

function unprefixed<M extends Message>(message: M, value: Buffer): MessageOf<M> {
  const reader = new Reader(value);
  const version = reader.int16();
  if (version !== VALUE_VERSION) throw new MalformedError(`${message.name} version ${version}`);
  return codec(message, version).read(reader) as MessageOf<M>;
}
