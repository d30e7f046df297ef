/**
 * Rebalances of a classic group: all members are asked to join again, and those who did within their time make up the next
 * generation.
 */
import { ErrorCode, type ErrorCodeValue } from '../../../protocol/errors.ts';
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { ClassicGroup } from './classic-group.ts';
import { type JoinResponse, type Member, NO_BYTES } from './member.ts';
import * as timers from './timers.ts';

export type Done = Outcome<GroupRecord, void>;

/** Begins a rebalance where the group can have one; where one runs already, ends it if everybody is there. */
export function rebalanceOrCompleteJoin(shard: GroupShard, group: ClassicGroup, reason: string, nowMs: number): Done {
  return group.canRebalance() ? prepareRebalance(shard, group, reason, nowMs) : tryCompleteJoin(shard, group, nowMs);
}

/** Everybody is to join again. */
export function prepareRebalance(shard: GroupShard, group: ClassicGroup, reason: string, nowMs: number): Done {
  if (group.state === 'CompletingRebalance') failSync(shard, group, ErrorCode.REBALANCE_IN_PROGRESS);
  group.pendingSync.clear();
  timers.cancelSync(shard, group);
  const isInitial = group.state === 'Empty';
  const { groupId, generationId } = group;
  shard.env.logger.info({ groupId, generationId, state: group.state, reason }, 'preparing to rebalance group');
  group.transitionTo('PreparingRebalance', nowMs);
  if (isInitial) {
    // more members of a new group are likely to come: one rebalance for all of them instead of one for each
    const delayMs = shard.config.get('group.initial.rebalance.delay.ms');
    const remainingMs = Math.max(group.rebalanceTimeoutMs() - delayMs, 0);
    timers.scheduleJoin(shard, groupId, { type: 'initial-rebalance', delayMs, remainingMs }, delayMs);
    return DONE;
  }
  if (group.hasAllJoined()) return completeJoin(shard, group, nowMs);
  timers.scheduleJoin(shard, groupId, { type: 'join' }, group.rebalanceTimeoutMs());
  return DONE;
}

/** Ends the join phase if all members are there; an initial one runs its time. */
export function tryCompleteJoin(shard: GroupShard, group: ClassicGroup, nowMs: number): Done {
  if (group.state !== 'PreparingRebalance' || group.previousState === 'Empty' || !group.hasAllJoined()) return DONE;
  return completeJoin(shard, group, nowMs);
}

/** The initial rebalance has waited: once more if somebody joined meanwhile and time is left, else it ends. */
export function completeInitialRebalance(
  shard: GroupShard,
  group: ClassicGroup,
  waited: { readonly delayMs: number; readonly remainingMs: number },
  nowMs: number,
): Done {
  if (!group.newMemberAdded || waited.remainingMs === 0) return completeJoin(shard, group, nowMs);
  group.newMemberAdded = false;
  const delayMs = Math.min(shard.config.get('group.initial.rebalance.delay.ms'), waited.remainingMs);
  const remainingMs = Math.max(waited.remainingMs - waited.delayMs, 0);
  timers.scheduleJoin(shard, group.groupId, { type: 'initial-rebalance', delayMs, remainingMs }, delayMs);
  return DONE;
}

/** Ends the join phase: who has not joined is out, except static members, who keep their place until their session ends. */
export function completeJoin(shard: GroupShard, group: ClassicGroup, nowMs: number): Done {
  timers.cancelJoin(shard, group);
  const { groupId } = group;
  for (const member of [...group.members.values()]) {
    if (member.awaitingJoin !== null || member.groupInstanceId !== null) continue;
    group.remove(member.memberId);
    timers.cancelSession(shard, group, member.memberId);
    shard.env.logger.info({ groupId, memberId: member.memberId }, 'member did not join the rebalance and was removed');
  }
  if (group.members.size === 0) return becomeEmpty(shard, group, nowMs);
  if (!group.electJoinedLeader()) {
    // only static members are left and none of them has come: wait until one does or their sessions end
    timers.scheduleJoin(shard, groupId, { type: 'join' }, group.rebalanceTimeoutMs());
    return DONE;
  }
  group.nextGeneration(nowMs);
  const { generationId } = group;
  shard.env.logger.info({ groupId, generationId, members: group.members.size }, 'group enters its next generation');
  for (const member of group.members.values()) {
    group.answerJoin(member, currentGeneration(group, member));
    timers.scheduleSession(shard, group, member);
    member.isNew = false;
    group.pendingSync.add(member.memberId);
  }
  timers.scheduleSync(shard, group);
  return DONE;
}

/** Nobody is left: that is a generation too, and its record lets the offsets expire in time. */
function becomeEmpty(shard: GroupShard, group: ClassicGroup, nowMs: number): Done {
  const { groupId } = group;
  const value = {
    protocolType: group.protocolType ?? '',
    generation: group.generationId + 1,
    protocol: null,
    leader: null,
    currentStateTimestamp: nowMs,
    members: [],
  };
  shard.env.logger.info({ groupId, generationId: value.generation }, 'group is now empty');
  return {
    records: [{ type: 'classic', groupId, value }],
    response: undefined,
    // an empty generation is safe to lose: after a failover the members of the one before would merely time out once more
    failed: (error) => {
      shard.env.logger.warn({ groupId, err: error }, 'the empty group could not be written');
      group.apply(value);
    },
  };
}

/** The answer to a member's JoinGroup: the generation, and for its leader all the members. */
export function currentGeneration(group: ClassicGroup, member: Member): JoinResponse {
  return {
    memberId: member.memberId,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    members: member.memberId === group.leaderId ? group.membersForLeader() : [],
  };
}

/** Whoever waits for an assignment is told that there will be none. */
export function failSync(shard: GroupShard, group: ClassicGroup, errorCode: ErrorCodeValue): void {
  for (const member of group.members.values()) {
    member.assignment = NO_BYTES;
    if (member.answerSync({ errorCode })) timers.scheduleSession(shard, group, member);
  }
}

/** Members of the generation that never asked for their assignment are out. */
export function expireSync(shard: GroupShard, group: ClassicGroup, generationId: number, nowMs: number): Done {
  if (generationId !== group.generationId || !group.isIn('CompletingRebalance', 'Stable')) return DONE;
  if (group.pendingSync.size === 0) return DONE;
  const memberIds = [...group.pendingSync];
  for (const memberId of memberIds) {
    group.remove(memberId);
    timers.cancelSession(shard, group, memberId);
  }
  return prepareRebalance(shard, group, `no SyncGroup came from ${memberIds.join(', ')}`, nowMs);
}
