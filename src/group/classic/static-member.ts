/** KIP-345: a static member that was away comes back with no member id and takes its own place. */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { Joining } from './join.ts';
import { type JoinResponse, Member } from './member.ts';
import { type Done, prepareRebalance, rebalanceOrCompleteJoin, tryCompleteJoin } from './rebalance.ts';
import { type GroupMetadata, groupMetadata } from './records.ts';
import { cancelSession, scheduleSession } from './timers.ts';

/** From then on a leader that comes back may be told to leave the assignment as it is (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9;

export function replaceStaticMember(
  shard: GroupShard,
  group: ClassicGroup,
  by: Joining,
  old: Member,
  newMemberId: string,
  nowMs: number,
): Done {
  const { groupId } = group;
  shard.env.logger.info({ groupId, groupInstanceId: old.groupInstanceId, newMemberId }, 'static member comes back');
  const changed = { memberId: old.memberId, protocols: by.protocols };
  const keepsStrategy = group.state === 'Stable' && group.selectProtocol(changed) === group.protocolName;
  if (keepsStrategy) return replaceInPlace(shard, group, by, old, newMemberId);
  const member = replacement(old, by, newMemberId);
  const leads = group.leaderId === old.memberId;
  fence(shard, group, old);
  group.remove(old.memberId);
  group.add(member, by.reply);
  if (leads) group.leaderId = newMemberId;
  scheduleSession(shard, group, member);
  const reason = `static member ${old.groupInstanceId} came back as ${newMemberId}`;
  switch (group.state) {
    case 'Stable':
      return rebalanceOrCompleteJoin(shard, group, `${reason} with another strategy`, nowMs);
    case 'CompletingRebalance':
      // the leader may be assigning to the old id already
      return prepareRebalance(shard, group, reason, nowMs);
    default:
      return tryCompleteJoin(shard, group, nowMs);
  }
}

/** The generation stands: the new id takes over the old one's assignment, and nobody else notices. */
function replaceInPlace(
  shard: GroupShard,
  group: ClassicGroup,
  by: Joining,
  old: Member,
  newMemberId: string,
): Outcome<GroupRecord, void> {
  const member = replacement(old, by, newMemberId);
  const oldLeaderId = group.leaderId;
  const leaderId = oldLeaderId === old.memberId ? newMemberId : oldLeaderId;
  const members = [...group.members.values()].map((m) => (m === old ? member : m));
  const value: GroupMetadata = { ...groupMetadata(group, members), leader: leaderId };
  const owesSync = group.pendingSync.has(old.memberId);
  return {
    records: [{ type: 'classic', groupId: group.groupId, value }],
    response: undefined,
    next: () => {
      fence(shard, group, old);
      const present = group.requireMember(newMemberId, old.groupInstanceId);
      group.setProtocols(present, by.protocols);
      if (owesSync) group.pendingSync.add(newMemberId);
      scheduleSession(shard, group, present);
      by.reply(keptGeneration(group, by, present, oldLeaderId));
      return { records: [], response: undefined };
    },
  };
}

/**
 * The answer to a member whose generation stands. Before KIP-814 a returning leader is given its old id as the leader's, so
 * that it does not assign anew.
 */
function keptGeneration(group: ClassicGroup, by: Joining, member: Member, oldLeaderId: string | null): JoinResponse {
  const isLeader = group.leaderId === member.memberId;
  const skips = by.caller.apiVersion >= SKIP_ASSIGNMENT_VERSION;
  return {
    memberId: member.memberId,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: (skips ? group.leaderId : oldLeaderId) ?? '',
    skipAssignment: skips && isLeader,
    members: skips && isLeader ? group.membersForLeader() : [],
  };
}

/** The old member under its new id, with what the request says of it. */
function replacement(old: Member, by: Joining, memberId: string): Member {
  const { groupInstanceId, clientId, clientHost, protocolType } = old;
  const { rebalanceTimeoutMs, protocols } = by;
  const { sessionTimeoutMs } = by.request;
  const names = { memberId, groupInstanceId, clientId, clientHost, protocolType };
  const member = new Member({ ...names, rebalanceTimeoutMs, sessionTimeoutMs, protocols });
  member.assignment = old.assignment;
  return member;
}

/** Whoever still uses the old id learns that another has taken the place. */
function fence(shard: GroupShard, group: ClassicGroup, old: Member): void {
  const errorCode = ErrorCode.FENCED_INSTANCE_ID;
  if (group.members.has(old.memberId)) group.answerJoin(old, { memberId: old.memberId, errorCode });
  old.answerSync({ errorCode });
  cancelSession(shard, group, old.memberId);
}
