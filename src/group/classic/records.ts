/** The records of classic groups in `__consumer_offsets`. */
import { GroupMetadataKey, GroupMetadataValue } from '../../../protocol/groups/group-metadata.ts';
import type { Reader } from '../../../protocol/reader.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
import { RecordForm } from '../../coordinator/record-form.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { Member } from './member.ts';

export type GroupMetadata = MessageOf<typeof GroupMetadataValue>;

/** A group's last generation; null deletes the group. */
export interface ClassicRecord {
  readonly type: 'classic';
  readonly groupId: string;
  readonly value: GroupMetadata | null;
}

/** The version that Kafka 4.3 writes, and the newest it can read. */
const VALUE_VERSION = 3;
const MAX_VALUE_VERSION = 4;

const form = new RecordForm(GroupMetadataKey, GroupMetadataValue, VALUE_VERSION, MAX_VALUE_VERSION);

export const CLASSIC_KIND = form.kind;

export function encodeClassic({ groupId: group, value }: ClassicRecord): CoordinatorRecord {
  return form.encode({ group }, value);
}

/** `key`: behind its kind. Byte fields are views of `value`. Throws MalformedError. */
export function decodeClassic(key: Reader, value: Buffer | null): ClassicRecord {
  return { type: 'classic', groupId: form.decodeKey(key).group, value: value && form.decodeValue(value) };
}

/** The record of a group that has no member yet; Kafka writes it before the first one joins. */
export function newGroupRecord(groupId: string, nowMs: number): ClassicRecord {
  return {
    type: 'classic',
    groupId,
    value: { protocolType: '', generation: 0, protocol: null, leader: null, currentStateTimestamp: nowMs, members: [] },
  };
}

export function classicTombstone(groupId: string): ClassicRecord {
  return { type: 'classic', groupId, value: null };
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
