/**
 * The records of `__consumer_offsets` that classic groups and committed offsets consist of, and their binary form: key and
 * value each begin with an int16, in the key the kind of record, in the value its version.
 */
import { codec } from '../../protocol/compile.ts';
import { GroupMetadataKey, GroupMetadataValue } from '../../protocol/groups/group-metadata.ts';
import { OffsetCommitKey, OffsetCommitValue } from '../../protocol/groups/offset-commit.ts';
import { type Int64, toNumber } from '../../protocol/int64.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { Reader } from '../../protocol/reader.ts';
import type { Message, MessageOf } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';
import type { CoordinatorRecord } from '../coordinator/log.ts';
import type { ClassicGroup } from './group.ts';
import type { Member } from './member.ts';

/** What a committed offset consists of. */
export interface CommittedOffset {
  readonly offset: Int64;
  /** Epoch of the leader the record was fetched from; -1 where the client did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** -1 unless the client asked for a retention of its own (OffsetCommit 2-4). */
  readonly expireTimestampMs: number;
  /** ZERO_UUID where it was committed before topic ids were kept. */
  readonly topicId: string;
}

export type GroupMetadata = MessageOf<typeof GroupMetadataValue>;

/** A null value deletes. */
export type GroupRecord =
  | {
      readonly type: 'offset';
      readonly groupId: string;
      readonly topic: string;
      readonly partition: number;
      readonly value: CommittedOffset | null;
    }
  | { readonly type: 'group'; readonly groupId: string; readonly value: GroupMetadata | null };

/** Kinds of key; an offset's key was 0 once and 1 since, with the same fields. */
const OFFSET_KEY_OLD = 0;
const OFFSET_KEY = OffsetCommitKey.apiKey as number;
const GROUP_KEY = GroupMetadataKey.apiKey as number;

/** The versions that Kafka 4.3 writes. */
const GROUP_VALUE_VERSION = 3;
const OFFSET_VALUE_VERSION = 4;
/** The only version with an expiry of its own. */
const EXPIRING_OFFSET_VALUE_VERSION = 1;

export function encodeRecord(record: GroupRecord): CoordinatorRecord {
  return record.type === 'offset' ? encodeOffset(record) : encodeGroup(record);
}

function encodeOffset(record: GroupRecord & { type: 'offset' }): CoordinatorRecord {
  const { value } = record;
  const key = prefixed(OFFSET_KEY, OffsetCommitKey, 0, {
    group: record.groupId,
    topic: record.topic,
    partition: record.partition,
  });
  if (value === null) return { key, value };
  const version = value.expireTimestampMs === -1 ? OFFSET_VALUE_VERSION : EXPIRING_OFFSET_VALUE_VERSION;
  const fields = {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestamp: value.commitTimestampMs,
    expireTimestamp: value.expireTimestampMs,
    topicId: value.topicId,
  };
  return { key, value: prefixed(version, OffsetCommitValue, version, fields) };
}

function encodeGroup(record: GroupRecord & { type: 'group' }): CoordinatorRecord {
  const key = prefixed(GROUP_KEY, GroupMetadataKey, 0, { group: record.groupId });
  if (record.value === null) return { key, value: null };
  return { key, value: prefixed(GROUP_VALUE_VERSION, GroupMetadataValue, GROUP_VALUE_VERSION, record.value) };
}

function prefixed(prefix: number, message: Message, version: number, fields: object): Buffer {
  const writer = new Writer(128);
  writer.int16(prefix);
  codec(message, version).write(writer, fields);
  return writer.toBuffer();
}

/**
 * Reads a record back; null for one of a kind that belongs to another type of group. Byte fields are views of `value`.
 * Throws MalformedError.
 */
export function decodeRecord(key: Buffer, value: Buffer | null): GroupRecord | null {
  const reader = new Reader(key);
  const kind = reader.int16();
  if (kind === OFFSET_KEY || kind === OFFSET_KEY_OLD) {
    const { group, topic, partition } = codec(OffsetCommitKey, 0).read(reader);
    return { type: 'offset', groupId: group, topic, partition, value: value && decodeOffset(value) };
  }
  if (kind !== GROUP_KEY) return null;
  const { group } = codec(GroupMetadataKey, 0).read(reader);
  return { type: 'group', groupId: group, value: value && decodeGroup(value) };
}

function decodeOffset(value: Buffer): CommittedOffset {
  const fields = unprefixed(OffsetCommitValue, value);
  return {
    offset: fields.offset,
    leaderEpoch: fields.leaderEpoch,
    metadata: fields.metadata,
    commitTimestampMs: toNumber(fields.commitTimestamp),
    expireTimestampMs: toNumber(fields.expireTimestamp),
    topicId: fields.topicId,
  };
}

const decodeGroup = (value: Buffer): GroupMetadata => unprefixed(GroupMetadataValue, value);

function unprefixed<M extends Message>(message: M, value: Buffer): MessageOf<M> {
  const reader = new Reader(value);
  const version = reader.int16();
  if (version < 0 || version > 4) throw new MalformedError(`${message.name} version ${version}`);
  return codec(message, version).read(reader) as MessageOf<M>;
}

/** The record of a group that has no member yet; Kafka writes it before the first one joins. */
export function newGroupRecord(groupId: string, nowMs: number): GroupRecord {
  return {
    type: 'group',
    groupId,
    value: { protocolType: '', generation: 0, protocol: null, leader: null, currentStateTimestamp: nowMs, members: [] },
  };
}

export function groupTombstone(groupId: string): GroupRecord {
  return { type: 'group', groupId, value: null };
}

export function offsetTombstone(groupId: string, topic: string, partition: number): GroupRecord {
  return { type: 'offset', groupId, topic, partition, value: null };
}

/** A group's generation as the log keeps it: `members` with their present assignments, or those that `assignment` gives. */
export function groupMetadata(
  group: ClassicGroup,
  members: readonly Member[],
  assignment: (member: Member) => Buffer = (m) => m.assignment,
): GroupMetadata {
  const protocolName = group.protocolName as string;
  return {
    protocolType: group.protocolType ?? '',
    generation: group.generationId,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: group.stateTimestampMs,
    members: members.map((m) => ({
      memberId: m.memberId,
      groupInstanceId: m.groupInstanceId,
      clientId: m.clientId,
      clientHost: m.clientHost,
      rebalanceTimeout: m.rebalanceTimeoutMs,
      sessionTimeout: m.sessionTimeoutMs,
      subscription: m.metadata(protocolName),
      assignment: assignment(m),
    })),
  };
}
