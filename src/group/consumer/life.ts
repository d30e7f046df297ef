/** How consumer groups come from the log, go on when they are loaded, and what becomes of them when a timer has come. */
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { MemberState } from './consumer-member.ts';
import { fenceMembers } from './fence.ts';
import type { ConsumerRecord } from './records.ts';
import { settingsOf } from './settings.ts';
import { resolveRegexes } from './subscriptions/regular-expressions.ts';
import { type ConsumerTimer, cancelMemberTimers, cancelRegex, scheduleRebalance, scheduleSession } from './timers.ts';

export function replayConsumer(shard: GroupShard, record: ConsumerRecord): void {
  const { groupId } = record;
  const present = shard.groups.get(groupId);
  // offsets that were committed before the group's records have made an empty classic group, which gives way
  const group = present?.type === 'consumer' ? present : null;
  if (record.value === null) {
    if (group === null) return;
    if (record.kind === 'member') cancelMemberTimers(shard, groupId, record.memberId);
    if (record.kind === 'group') {
      cancelRegex(shard, groupId);
      shard.groups.delete(groupId);
      return;
    }
  }
  const applied = group ?? new ConsumerGroup(groupId);
  applied.apply(record);
  shard.groups.set(groupId, applied);
}

/** Whoever was a member has a whole session to come back, and a whole time to give partitions up. */
export function consumerLoaded(shard: GroupShard, group: ConsumerGroup): void {
  const { groupId } = group;
  const { sessionTimeoutMs } = settingsOf(shard, groupId);
  for (const member of group.members.values()) {
    scheduleSession(shard, groupId, member.memberId, sessionTimeoutMs);
    if (member.state === MemberState.UNREVOKED_PARTITIONS) scheduleRebalance(shard, groupId, member);
  }
}

export function expireConsumer(shard: GroupShard, event: ConsumerTimer, nowMs: number): Outcome<GroupRecord, void> {
  const group = shard.groups.get(event.groupId);
  if (group?.type !== 'consumer') return DONE;
  if (event.type === 'regex') return resolveRegexes(shard, group, event.regexes, nowMs);
  const { memberId, type } = event;
  const member = group.members.get(memberId);
  if (member === undefined) return DONE;
  if (type === 'rebalance' && member.memberEpoch !== event.memberEpoch) return DONE;
  shard.env.logger.info({ groupId: group.groupId, memberId, timeout: type }, 'member was too late and is fenced');
  return fenceMembers(shard, group, [member], undefined, nowMs);
}
