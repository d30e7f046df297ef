/** The records of committed offsets in `__consumer_offsets`. */
import { OffsetCommitKey, OffsetCommitValue } from '../../../protocol/groups/offset-commit.ts';
import { type Int64, toNumber } from '../../../protocol/int64.ts';
import type { Reader } from '../../../protocol/reader.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
import { RecordForm } from '../../coordinator/record-form.ts';

/** What a committed offset consists of. */
export interface CommittedOffset {
  readonly offset: Int64;
  /** Epoch of the leader the record was fetched from; -1 where the client did not say; other negative ones stay as they come. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** -1 unless the client asked for a retention of its own (OffsetCommit 2-4). */
  readonly expireTimestampMs: number;
  /** ZERO_UUID where it was committed before topic ids were kept. */
  readonly topicId: string;
}

/** A null value deletes. */
export interface OffsetRecord {
  readonly type: 'offset';
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly value: CommittedOffset | null;
}

/** The version that Kafka 4.3 writes. */
const VALUE_VERSION = 4;
/** The only version with an expiry of its own. */
const EXPIRING_VALUE_VERSION = 1;

const form = new RecordForm(OffsetCommitKey, OffsetCommitValue, VALUE_VERSION);

/** Kinds of key: it was 0 once and is 1 since, with the same fields. */
export const OFFSET_KINDS: readonly number[] = [0, form.kind];

export function encodeOffset({ groupId: group, topic, partition, value }: OffsetRecord): CoordinatorRecord {
  const key = { group, topic, partition };
  if (value === null) return form.encode(key, null);
  const fields = {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestamp: value.commitTimestampMs,
    expireTimestamp: value.expireTimestampMs,
    topicId: value.topicId,
  };
  return form.encode(key, fields, value.expireTimestampMs === -1 ? VALUE_VERSION : EXPIRING_VALUE_VERSION);
}

/** `key`: behind its kind. Throws MalformedError. */
export function decodeOffset(key: Reader, value: Buffer | null): OffsetRecord {
  const { group, topic, partition } = form.decodeKey(key);
  return { type: 'offset', groupId: group, topic, partition, value: value && decodeValue(value) };
}

function decodeValue(value: Buffer): CommittedOffset {
  const fields = form.decodeValue(value);
  return {
    offset: fields.offset,
    leaderEpoch: fields.leaderEpoch,
    metadata: fields.metadata,
    commitTimestampMs: toNumber(fields.commitTimestamp),
    expireTimestampMs: toNumber(fields.expireTimestamp),
    topicId: fields.topicId,
  };
}

export function offsetTombstone(groupId: string, topic: string, partition: number): OffsetRecord {
  return { type: 'offset', groupId, topic, partition, value: null };
}
