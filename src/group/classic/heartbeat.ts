import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../../../protocol/messages/12-heartbeat.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { answered, DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { ClassicGroup } from './classic-group.ts';
import { classicGroup } from './find.ts';
import { completeJoin, type Done, rebalanceOrCompleteJoin } from './rebalance.ts';
import { scheduleSession } from './timers.ts';

type Response = InputOf<typeof HeartbeatResponse>;

const ALIVE: Outcome<never, Response> = answered({ errorCode: ErrorCode.NONE });
const REBALANCING: Outcome<never, Response> = answered({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS });

/** A member says that it lives, and learns whether it is to join again. Throws UNKNOWN_MEMBER_ID and others. */
export function heartbeat(shard: GroupShard, request: MessageOf<typeof HeartbeatRequest>): Outcome<never, Response> {
  const group = classicGroup(shard, request.groupId);
  if (group === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID');
  const member = group.requireMember(request.memberId, request.groupInstanceId);
  if (request.generationId !== group.generationId) throw new KafkaError('ILLEGAL_GENERATION');
  scheduleSession(shard, group, member);
  return group.state === 'PreparingRebalance' ? REBALANCING : ALIVE;
}

/** A session has ended, or nobody came back with the id that was given out. */
export function expireMember(shard: GroupShard, group: ClassicGroup, memberId: string, nowMs: number): Done {
  const { groupId } = group;
  if (group.pendingJoin.has(memberId)) {
    group.remove(memberId);
    return group.state === 'PreparingRebalance' && group.hasAllJoined() ? completeJoin(shard, group, nowMs) : DONE;
  }
  const member = group.members.get(memberId);
  if (member === undefined || member.isExcused()) return DONE;
  shard.env.logger.info({ groupId, memberId }, 'member failed to heartbeat and was removed');
  // a new member may still wait to join: if it lives, it tries again from the beginning
  group.answerJoin(member, { memberId: '', errorCode: ErrorCode.UNKNOWN_MEMBER_ID });
  group.remove(memberId);
  if (group.isIn('Stable', 'CompletingRebalance')) {
    return rebalanceOrCompleteJoin(shard, group, `the session of member ${memberId} ended`, nowMs);
  }
  return group.state === 'PreparingRebalance' && group.hasAllJoined() ? completeJoin(shard, group, nowMs) : DONE;
}
