import { ErrorCode, type ErrorCodeValue, KafkaError } from '../../../protocol/errors.ts';
import type { SyncGroupRequest } from '../../../protocol/messages/14-sync-group.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { Reply } from '../../coordinator/answer.ts';
import { coordinatorError } from '../../coordinator/errors.ts';
import { DONE } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { ClassicGroup } from './classic-group.ts';
import { classicGroup } from './find.ts';
import { type Member, NO_BYTES, type SyncResponse } from './member.ts';
import { type Done, failSync, prepareRebalance } from './rebalance.ts';
import { groupMetadata } from './records.ts';
import { cancelSync, scheduleSession } from './timers.ts';

type Request = MessageOf<typeof SyncGroupRequest>;

/** A member asks for its assignment; the leader brings those of all. The answer comes when the leader's are written. */
export function sync(shard: GroupShard, request: Request, reply: Reply<SyncResponse>): Done {
  const group = classicGroup(shard, request.groupId);
  if (group === undefined || group.state === 'Empty') return refuse(reply, ErrorCode.UNKNOWN_MEMBER_ID);
  let member: Member;
  try {
    member = requireGeneration(group, request);
  } catch (error) {
    if (error instanceof KafkaError) return refuse(reply, error.code);
    throw error;
  }
  if (group.state === 'PreparingRebalance') return refuse(reply, ErrorCode.REBALANCE_IN_PROGRESS);
  group.pendingSync.delete(member.memberId);
  if (group.pendingSync.size === 0) cancelSync(shard, group);
  if (group.state === 'Stable') {
    reply(assigned(group, member));
    return DONE;
  }
  // an earlier SyncGroup that still waits came over a connection that the client has given up
  member.answerSync({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS });
  member.awaitingSync = reply;
  return member.memberId === group.leaderId ? assign(shard, group, request) : DONE;
}

/** The leader's assignments complete the generation. A member that the leader forgot gets nothing. */
function assign(shard: GroupShard, group: ClassicGroup, request: Request): Done {
  const assignments = new Map(request.assignments.map((a) => [a.memberId, a.assignment]));
  const value = groupMetadata(group, [...group.members.values()], (m) => assignments.get(m.memberId) ?? NO_BYTES);
  const { groupId, generationId } = group;
  return {
    records: [{ type: 'classic', groupId, value }],
    response: undefined,
    next: () => {
      shard.env.logger.info({ groupId, generationId }, 'group is stable');
      for (const member of group.members.values()) {
        // sessions that ended while the members waited for us do not count
        if (member.answerSync(assigned(group, member))) scheduleSession(shard, group, member);
      }
      return DONE;
    },
    failed: (error, nowMs) => {
      failSync(shard, group, coordinatorError(error.code));
      prepareRebalance(shard, group, `the assignment could not be written: ${error.message}`, nowMs);
    },
  };
}

function requireGeneration(group: ClassicGroup, request: Request): Member {
  const member = group.requireMember(request.memberId, request.groupInstanceId);
  if (request.generationId !== group.generationId) throw new KafkaError('ILLEGAL_GENERATION');
  if (differs(request.protocolType, group.protocolType) || differs(request.protocolName, group.protocolName)) {
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL');
  }
  return member;
}

/** Before version 5 a member does not say what it believes to be the strategy. */
const differs = (claimed: string | null, actual: string | null): boolean =>
  claimed !== null && actual !== null && claimed !== actual;

function assigned(group: ClassicGroup, member: Member): SyncResponse {
  return { protocolType: group.protocolType, protocolName: group.protocolName, assignment: member.assignment };
}

function refuse(reply: Reply<SyncResponse>, errorCode: ErrorCodeValue): Done {
  reply({ errorCode });
  return DONE;
}
