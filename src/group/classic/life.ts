/** How classic groups come from the log, go on when they are loaded, and end. */
import { ErrorCode } from '../../../protocol/errors.ts';
import { DONE } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import { ClassicGroup } from './classic-group.ts';
import { classicGroup } from './find.ts';
import { expireMember } from './heartbeat.ts';
import { completeInitialRebalance, completeJoin, type Done, expireSync, prepareRebalance } from './rebalance.ts';
import type { ClassicRecord } from './records.ts';
import { type ClassicTimer, cancelGroupTimers, scheduleSession } from './timers.ts';

export function replayClassic(shard: GroupShard, { groupId, value }: ClassicRecord): void {
  const group = classicGroup(shard, groupId);
  if (value === null) {
    if (group !== undefined) cancelGroupTimers(shard, group);
    shard.groups.delete(groupId);
    return;
  }
  const present = group ?? new ClassicGroup(groupId, 0);
  present.apply(value);
  shard.groups.set(groupId, present);
}

/** Whoever was a member has a whole session to come back. */
export function classicLoaded(shard: GroupShard, group: ClassicGroup, nowMs: number): void {
  for (const member of group.members.values()) scheduleSession(shard, group, member);
  if (group.members.size > shard.config.get('group.max.size'))
    prepareRebalance(shard, group, 'the loaded group is over its maximum size', nowMs);
}

/** Another coordinator has the group: those who wait are to look for it. */
export function classicUnloaded(group: ClassicGroup): void {
  const errorCode = ErrorCode.NOT_COORDINATOR;
  for (const member of group.members.values()) {
    group.answerJoin(member, { memberId: member.memberId, errorCode });
    member.answerSync({ errorCode });
  }
}

export function expireClassic(shard: GroupShard, event: ClassicTimer, nowMs: number): Done {
  const group = classicGroup(shard, event.groupId);
  if (group === undefined) return DONE;
  switch (event.type) {
    case 'session':
      return expireMember(shard, group, event.memberId, nowMs);
    case 'initial-rebalance':
      return completeInitialRebalance(shard, group, event, nowMs);
    case 'join':
      return completeJoin(shard, group, nowMs);
    case 'sync':
      return expireSync(shard, group, event.generationId, nowMs);
  }
}
