import type { Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, regexOf } from './consumer-member.ts';
import { downgrade, mayDowngradeWithout } from './migration.ts';
import { ConsumerRecords } from './records.ts';

/**
 * Members leave or are put out: what they owned is free at once, and a new target assignment is due. Where only members of
 * the classic protocol are left, the group becomes a classic one.
 */
export function fenceMembers<T>(
  shard: GroupShard,
  group: ConsumerGroup,
  members: readonly ConsumerMember[],
  response: T,
  nowMs: number,
): Outcome<GroupRecord, T> {
  if (members.length === 0) return { records: [], response };
  if (mayDowngradeWithout(shard, group, members)) {
    const reason = 'the last member of the consumer protocol left';
    return downgrade(shard, group, { leaving: members, rebalanceFor: reason, nowMs }, [], response);
  }
  const records = new ConsumerRecords(group.groupId);
  const counts = group.subscriptions.copy();
  for (const member of members) {
    records.removeMember(member.memberId);
    counts.changeMember(member, null);
  }
  const regexes = new Set(members.map(regexOf).filter((regex) => regex !== null));
  for (const regex of regexes) {
    if (counts.regexes.has(regex)) continue;
    records.regex(regex, null);
    counts.changeRegex(group.resolvedRegexes.get(regex)?.topics ?? [], []);
  }
  const groupEpoch = group.groupEpoch + 1;
  records.group(groupEpoch, group.hashOf(shard.env.image(), counts));
  return { records: records.list, response };
}
