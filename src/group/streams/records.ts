/** The records of streams groups in `__consumer_offsets` (KIP-1071). */
import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
} from '../../../protocol/groups/streams-group-current-member-assignment.ts';
import {
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
} from '../../../protocol/groups/streams-group-member-metadata.ts';
import { StreamsGroupMetadataKey, StreamsGroupMetadataValue } from '../../../protocol/groups/streams-group-metadata.ts';
import {
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
} from '../../../protocol/groups/streams-group-target-assignment-member.ts';
import {
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
} from '../../../protocol/groups/streams-group-target-assignment-metadata.ts';
import { StreamsGroupTopologyKey, StreamsGroupTopologyValue } from '../../../protocol/groups/streams-group-topology.ts';
import type { Reader } from '../../../protocol/reader.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
import { RecordForm } from '../../coordinator/record-form.ts';
import type { MemberMetadata, StreamsMember } from './streams-member.ts';
import { type EpochedTasks, type TaskSets, toTaskIds } from './tasks.ts';
import type { Topology } from './topology.ts';

const group = new RecordForm(StreamsGroupMetadataKey, StreamsGroupMetadataValue, 0);
const topology = new RecordForm(StreamsGroupTopologyKey, StreamsGroupTopologyValue, 0);
const target = new RecordForm(StreamsGroupTargetAssignmentMetadataKey, StreamsGroupTargetAssignmentMetadataValue, 0);
const member = new RecordForm(StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue, 0);
const memberTarget = new RecordForm(StreamsGroupTargetAssignmentMemberKey, StreamsGroupTargetAssignmentMemberValue, 0);
const assignment = new RecordForm(StreamsGroupCurrentMemberAssignmentKey, StreamsGroupCurrentMemberAssignmentValue, 0);

export type GroupValue = MessageOf<typeof StreamsGroupMetadataValue>;
export type TargetValue = MessageOf<typeof StreamsGroupTargetAssignmentMetadataValue>;
export type MemberTargetValue = MessageOf<typeof StreamsGroupTargetAssignmentMemberValue>;
export type AssignmentValue = MessageOf<typeof StreamsGroupCurrentMemberAssignmentValue>;

/** A null value deletes. */
export type StreamsRecord = { readonly type: 'streams'; readonly groupId: string } & (
  | { readonly part: 'group'; readonly value: InputOf<typeof StreamsGroupMetadataValue> | null }
  | { readonly part: 'topology'; readonly value: Topology | null }
  | { readonly part: 'target'; readonly value: TargetValue | null }
  | ({ readonly memberId: string } & MemberPart)
);

type MemberPart =
  | { readonly part: 'member'; readonly value: MemberMetadata | null }
  | { readonly part: 'member-target'; readonly value: MemberTargetValue | null }
  | { readonly part: 'assignment'; readonly value: AssignmentValue | null };

/** The kinds of key. */
export const STREAMS_KINDS: readonly number[] = [group, topology, target, member, memberTarget, assignment].map(
  (form) => form.kind,
);

export function encodeStreams(record: StreamsRecord): CoordinatorRecord {
  const { groupId } = record;
  switch (record.part) {
    case 'group':
      return group.encode({ groupId }, record.value);
    case 'topology':
      return topology.encode({ groupId }, record.value);
    case 'target':
      return target.encode({ groupId }, record.value);
    case 'member':
      return member.encode({ groupId, memberId: record.memberId }, record.value);
    case 'member-target':
      return memberTarget.encode({ groupId, memberId: record.memberId }, record.value);
    case 'assignment':
      return assignment.encode({ groupId, memberId: record.memberId }, record.value);
  }
}

/** `key`: behind its kind, which is one of STREAMS_KINDS. Throws MalformedError. */
export function decodeStreams(kind: number, key: Reader, value: Buffer | null): StreamsRecord {
  const type = 'streams';
  switch (kind) {
    case group.kind:
      return { type, part: 'group', ...group.decodeKey(key), value: value && group.decodeValue(value) };
    case topology.kind:
      return { type, part: 'topology', ...topology.decodeKey(key), value: value && topology.decodeValue(value) };
    case target.kind:
      return { type, part: 'target', ...target.decodeKey(key), value: value && target.decodeValue(value) };
    case member.kind:
      return { type, part: 'member', ...member.decodeKey(key), value: value && member.decodeValue(value) };
    case memberTarget.kind:
      return {
        type,
        part: 'member-target',
        ...memberTarget.decodeKey(key),
        value: value && memberTarget.decodeValue(value),
      };
    default:
      return { type, part: 'assignment', ...assignment.decodeKey(key), value: value && assignment.decodeValue(value) };
  }
}

export function memberRecord(groupId: string, { memberId, metadata }: StreamsMember): StreamsRecord {
  return { type: 'streams', part: 'member', groupId, memberId, value: metadata };
}

export function memberTargetRecord(groupId: string, memberId: string, tasks: TaskSets): StreamsRecord {
  const value = {
    activeTasks: toTaskIds(tasks.active),
    standbyTasks: toTaskIds(tasks.standby),
    warmupTasks: toTaskIds(tasks.warmup),
  };
  return { type: 'streams', part: 'member-target', groupId, memberId, value };
}

export function assignmentRecord(groupId: string, m: StreamsMember): StreamsRecord {
  const value: AssignmentValue = {
    memberEpoch: m.memberEpoch,
    previousMemberEpoch: m.previousMemberEpoch,
    state: m.state,
    activeTasks: withEpochs(m.assigned.active),
    standbyTasks: withoutEpochs(m.assigned.standby),
    warmupTasks: withoutEpochs(m.assigned.warmup),
    activeTasksPendingRevocation: withEpochs(m.pendingRevocation.active),
    standbyTasksPendingRevocation: withoutEpochs(m.pendingRevocation.standby),
    warmupTasksPendingRevocation: withoutEpochs(m.pendingRevocation.warmup),
  };
  return { type: 'streams', part: 'assignment', groupId, memberId: m.memberId, value };
}

type StoredTaskIds = AssignmentValue['activeTasks'];

/** None stand where they would say nothing. */
const withoutEpochs = (tasks: TaskSets['standby']): StoredTaskIds =>
  toTaskIds(tasks).map((taskIds) => ({ ...taskIds, assignmentEpochs: [] }));

const withEpochs = (tasks: EpochedTasks): StoredTaskIds =>
  toTaskIds(tasks).map(({ subtopologyId, partitions }) => ({
    subtopologyId,
    partitions,
    assignmentEpochs: partitions.map((p) => tasks.get(subtopologyId)?.get(p) as number),
  }));

/** Deletes what the log has of a member. */
export function memberTombstones(groupId: string, memberId: string): StreamsRecord[] {
  const parts = ['assignment', 'member-target', 'member'] as const;
  return parts.map((part) => ({ type: 'streams', part, groupId, memberId, value: null }));
}

/** Deletes what the log has of a group; in the order that Kafka needs to read them back. */
export function groupTombstones(groupId: string, memberIds: readonly string[]): StreamsRecord[] {
  const type = 'streams';
  const ofMembers = (part: MemberPart['part']): StreamsRecord[] =>
    memberIds.map((memberId) => ({ type, part, groupId, memberId, value: null }));
  return [
    ...ofMembers('assignment'),
    ...ofMembers('member-target'),
    { type, part: 'target', groupId, value: null },
    ...ofMembers('member'),
    { type, part: 'group', groupId, value: null },
    { type, part: 'topology', groupId, value: null },
  ];
}
