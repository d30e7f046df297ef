/** How share groups come from the log, go on when they are loaded, and lose members that fell silent. */
import { toNumber } from '../../../protocol/int64.ts';
import { groupConfig } from '../../config/group-config.ts';
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import { fence } from './leave.ts';
import type { ShareRecord } from './records.ts';
import { ShareGroup } from './share-group.ts';
import { newMember, withAssignment, withMetadata } from './share-member.ts';
import { fromMetadata } from './state-partitions.ts';
import { cancelSession, type ShareTimer, scheduleSession } from './timers.ts';
import { fromListed } from './topic-partitions.ts';

export function replayShare(shard: GroupShard, record: ShareRecord): void {
  const { groupId } = record;
  const present = shard.groups.get(groupId);
  if (present === undefined && record.value === null) return;
  const group = present ?? new ShareGroup(groupId);
  if (!(group instanceof ShareGroup)) throw new Error(`group ${groupId} is not a share group`);
  if (record.what === 'group' && record.value === null) {
    for (const memberId of group.members.keys()) cancelSession(shard, groupId, memberId);
    shard.groups.delete(groupId);
    return;
  }
  group.unassigned = null;
  apply(group, record);
  shard.groups.set(groupId, group);
}

function apply(group: ShareGroup, record: ShareRecord): void {
  switch (record.what) {
    case 'group':
      if (record.value === null) return;
      group.epoch = record.value.epoch;
      group.metadataHash = record.value.metadataHash;
      break;
    case 'member':
      if (record.value === null) group.remove(record.memberId);
      else group.put(withMetadata(memberOf(group, record.memberId), record.value));
      break;
    case 'target':
      group.targetEpoch = record.value?.assignmentEpoch ?? -1;
      group.targetTimestampMs = toNumber(record.value?.assignmentTimestamp ?? 0);
      break;
    case 'target-member':
      if (record.value === null) group.target.delete(record.memberId);
      else group.target.set(record.memberId, fromListed(record.value.topicPartitions));
      break;
    case 'current-member':
      applyCurrent(group, record);
      break;
    case 'state-partitions':
      group.statePartitions = record.value && fromMetadata(record.value);
      group.statePartitionsMs = record.writtenMs ?? 0;
      break;
  }
}

/** A tombstone takes what the member was given; the member itself goes with its own. */
function applyCurrent(group: ShareGroup, { memberId, value }: Extract<ShareRecord, { what: 'current-member' }>): void {
  if (value !== null) {
    group.put(withAssignment(memberOf(group, memberId), value));
    return;
  }
  const member = group.members.get(memberId);
  if (member === undefined) return;
  const nothing = { memberEpoch: -1, previousMemberEpoch: -1, state: 0, assignedPartitions: [] };
  group.put(withAssignment(member, nothing));
}

const memberOf = (group: ShareGroup, memberId: string) => group.members.get(memberId) ?? newMember(memberId);

/** Members have a whole session to show up; state that was asked for has a whole interval to come. */
export function shareLoaded(shard: GroupShard, group: ShareGroup, nowMs: number): void {
  group.statePartitionsMs = nowMs;
  const timeoutMs = sessionTimeoutMs(shard, group.groupId);
  for (const memberId of group.members.keys()) scheduleSession(shard, group.groupId, memberId, timeoutMs);
}

export function expireShare(shard: GroupShard, { groupId, memberId }: ShareTimer): Outcome<GroupRecord, void> {
  const group = shard.groups.get(groupId);
  const member = group instanceof ShareGroup ? group.members.get(memberId) : undefined;
  if (!(group instanceof ShareGroup) || member === undefined) return DONE;
  shard.env.logger.info({ groupId, memberId }, 'member of a share group failed to heartbeat and was removed');
  return { records: fence(shard, group, member), response: undefined };
}

export function sessionTimeoutMs(shard: GroupShard, groupId: string): number {
  return groupConfig(shard.env.image(), shard.config, groupId).get('share.session.timeout.ms');
}
