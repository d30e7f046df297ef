import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../../protocol/messages/13-leave-group.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { ClassicGroup } from './classic-group.ts';
import { classicGroup } from './find.ts';
import { type Done, rebalanceOrCompleteJoin, tryCompleteJoin } from './rebalance.ts';
import { cancelSession } from './timers.ts';

/** One who leaves, or whom an administrator removes by its instance id alone (KIP-345). */
export type Leaving = MessageOf<typeof LeaveGroupRequest>['members'][number];
type Response = InputOf<typeof LeaveGroupResponse>;

/** Members leave; each has a result of its own. Throws UNKNOWN_MEMBER_ID where there is no such group. */
export function leave(
  shard: GroupShard,
  groupId: string,
  members: readonly Leaving[],
  nowMs: number,
): Outcome<GroupRecord, Response> {
  const group = classicGroup(shard, groupId);
  if (group === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID');
  const results = members.map((leaving) => ({
    memberId: leaving.memberId,
    groupInstanceId: leaving.groupInstanceId,
    errorCode: removed(shard, group, leaving),
  }));
  const left = results.filter((r) => r.errorCode === ErrorCode.NONE).map((r) => r.memberId);
  const { records, failed } = left.length === 0 ? DONE : goOn(shard, group, `left: ${left.join(', ')}`, nowMs);
  return { records, failed, response: { members: results } };
}

function goOn(shard: GroupShard, group: ClassicGroup, reason: string, nowMs: number): Done {
  if (group.isIn('Stable', 'CompletingRebalance')) return rebalanceOrCompleteJoin(shard, group, reason, nowMs);
  return tryCompleteJoin(shard, group, nowMs);
}

/** Removes one and says how that went. */
function removed(shard: GroupShard, group: ClassicGroup, leaving: Leaving): number {
  const { groupInstanceId } = leaving;
  try {
    const memberId = leaving.memberId || group.staticMembers.get(groupInstanceId ?? '');
    if (memberId === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID');
    const isPending = group.pendingJoin.has(memberId);
    const member = isPending ? null : group.requireMember(memberId, groupInstanceId);
    // whoever waits to join under this id and still lives is to begin anew
    if (member !== null) group.answerJoin(member, { memberId: '', errorCode: ErrorCode.UNKNOWN_MEMBER_ID });
    cancelSession(shard, group, memberId);
    group.remove(memberId);
    const reason = leaving.reason || 'not provided';
    shard.env.logger.info({ groupId: group.groupId, memberId, reason }, 'member has left the group');
    return ErrorCode.NONE;
  } catch (error) {
    if (error instanceof KafkaError) return error.code;
    throw error;
  }
}
