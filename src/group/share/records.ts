/** The records of share groups in `__consumer_offsets`. */
import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
} from '../../../protocol/groups/share-group-current-member-assignment.ts';
import {
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
} from '../../../protocol/groups/share-group-member-metadata.ts';
import { ShareGroupMetadataKey, ShareGroupMetadataValue } from '../../../protocol/groups/share-group-metadata.ts';
import {
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
} from '../../../protocol/groups/share-group-state-partition-metadata.ts';
import {
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
} from '../../../protocol/groups/share-group-target-assignment-member.ts';
import {
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
} from '../../../protocol/groups/share-group-target-assignment-metadata.ts';
import type { Reader } from '../../../protocol/reader.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
import { RecordForm } from '../../coordinator/record-form.ts';
import type { CurrentAssignment, MemberMetadata } from './share-member.ts';
import type { StatePartitionMetadata } from './state-partitions.ts';
import { listed, type TopicPartitions } from './topic-partitions.ts';

/** A null value deletes. */
export type ShareRecord = { readonly type: 'share'; readonly groupId: string } & (
  | { readonly what: 'member'; readonly memberId: string; readonly value: MemberMetadata | null }
  | { readonly what: 'group'; readonly value: MessageOf<typeof ShareGroupMetadataValue> | null }
  | { readonly what: 'target'; readonly value: MessageOf<typeof ShareGroupTargetAssignmentMetadataValue> | null }
  | {
      readonly what: 'target-member';
      readonly memberId: string;
      readonly value: MessageOf<typeof ShareGroupTargetAssignmentMemberValue> | null;
    }
  | { readonly what: 'current-member'; readonly memberId: string; readonly value: CurrentAssignment | null }
  | {
      readonly what: 'state-partitions';
      readonly value: StatePartitionMetadata | null;
      /** When it was written, where this coordinator wrote it: not part of the record. */
      readonly writtenMs?: number;
    }
);

const member = new RecordForm(ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue, 0);
const group = new RecordForm(ShareGroupMetadataKey, ShareGroupMetadataValue, 0);
const target = new RecordForm(ShareGroupTargetAssignmentMetadataKey, ShareGroupTargetAssignmentMetadataValue, 0);
const targetMember = new RecordForm(ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue, 0);
const currentMember = new RecordForm(ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue, 0);
const statePartitions = new RecordForm(ShareGroupStatePartitionMetadataKey, ShareGroupStatePartitionMetadataValue, 0);

export const SHARE_KINDS: readonly number[] = [
  member.kind,
  group.kind,
  target.kind,
  targetMember.kind,
  currentMember.kind,
  statePartitions.kind,
];

export function encodeShare(record: ShareRecord): CoordinatorRecord {
  const { groupId } = record;
  switch (record.what) {
    case 'member':
      return member.encode({ groupId, memberId: record.memberId }, record.value);
    case 'group':
      return group.encode({ groupId }, record.value);
    case 'target':
      return target.encode({ groupId }, record.value);
    case 'target-member':
      return targetMember.encode({ groupId, memberId: record.memberId }, record.value);
    case 'current-member':
      return currentMember.encode({ groupId, memberId: record.memberId }, record.value);
    case 'state-partitions':
      return statePartitions.encode({ groupId }, record.value);
  }
}

/** `key`: behind its kind, one of SHARE_KINDS. Throws MalformedError. */
export function decodeShare(kind: number, key: Reader, value: Buffer | null): ShareRecord {
  const type = 'share';
  switch (kind) {
    case member.kind:
      return { type, what: 'member', ...member.decodeKey(key), value: value && member.decodeValue(value) };
    case group.kind:
      return { type, what: 'group', ...group.decodeKey(key), value: value && group.decodeValue(value) };
    case target.kind:
      return { type, what: 'target', ...target.decodeKey(key), value: value && target.decodeValue(value) };
    case targetMember.kind: {
      const decoded = value && targetMember.decodeValue(value);
      return { type, what: 'target-member', ...targetMember.decodeKey(key), value: decoded };
    }
    case currentMember.kind: {
      const decoded = value && currentMember.decodeValue(value);
      return { type, what: 'current-member', ...currentMember.decodeKey(key), value: decoded };
    }
    default: {
      const decoded = value && statePartitions.decodeValue(value);
      return { type, what: 'state-partitions', ...statePartitions.decodeKey(key), value: decoded };
    }
  }
}

export function targetMemberRecord(groupId: string, memberId: string, partitions: TopicPartitions): ShareRecord {
  return { type: 'share', what: 'target-member', groupId, memberId, value: { topicPartitions: listed(partitions) } };
}

/** A member and all that it was to get and was given. */
export function memberTombstones(groupId: string, memberId: string): ShareRecord[] {
  return [
    { type: 'share', what: 'current-member', groupId, memberId, value: null },
    { type: 'share', what: 'target-member', groupId, memberId, value: null },
    { type: 'share', what: 'member', groupId, memberId, value: null },
  ];
}
