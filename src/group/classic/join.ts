import { ErrorCode, type ErrorCodeValue, KafkaError } from '../../../protocol/errors.ts';
import type { JoinGroupRequest } from '../../../protocol/messages/11-join-group.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { Reply } from '../../coordinator/answer.ts';
import { DONE } from '../../coordinator/state-machine.ts';
import type { Caller } from '../caller.ts';
import type { GroupShard } from '../group-shard.ts';
import type { ClassicGroup } from './classic-group.ts';
import { type JoinResponse, Member, type Protocol } from './member.ts';
import { currentGeneration, type Done, rebalanceOrCompleteJoin } from './rebalance.ts';
import { newGroupRecord } from './records.ts';
import { replaceStaticMember } from './static-member.ts';
import { scheduleSession, scheduleSessionOf } from './timers.ts';

type Request = MessageOf<typeof JoinGroupRequest>;

/** A JoinGroup and where its answer goes. */
export interface Joining {
  readonly caller: Caller;
  readonly request: Request;
  /** The request's strategies, not views of its frame. */
  readonly protocols: readonly Protocol[];
  readonly rebalanceTimeoutMs: number;
  readonly reply: Reply<JoinResponse>;
}

/** How long a new member may wait to join: until it has its answer it cannot send heartbeats. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000;
/** From then on a new member must come back with the id that it is given (KIP-394). */
const KNOWN_MEMBER_ID_VERSION = 4;

export function joining(caller: Caller, request: Request, reply: Reply<JoinResponse>): Joining {
  return {
    caller,
    request,
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
    // version 0 has one timeout for both
    rebalanceTimeoutMs: caller.apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
    reply,
  };
}

/** A client wants to be a member. The answer comes when the group is complete. */
export function join(shard: GroupShard, by: Joining, nowMs: number): Done {
  const { groupId, memberId } = by.request;
  const group = shard.groups.get(groupId);
  if (group?.type === 'classic') return joinGroup(shard, group, by, nowMs);
  // an empty group of another kind gives way, unless what it shares would be lost with it
  if (group !== undefined && (group.type === 'share' || !group.isEmpty()))
    return refuse(by, '', ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  if (memberId !== '') return refuse(by, memberId, ErrorCode.UNKNOWN_MEMBER_ID);
  return {
    records: [...(group?.tombstones() ?? []), newGroupRecord(groupId, nowMs)],
    response: undefined,
    next: (laterMs) => joinGroup(shard, shard.classic(groupId) as ClassicGroup, by, laterMs),
  };
}

function joinGroup(shard: GroupShard, group: ClassicGroup, by: Joining, nowMs: number): Done {
  const { memberId, protocolType, groupInstanceId } = by.request;
  if (!hasRoom(group, memberId, shard.config.get('group.max.size'))) {
    group.remove(memberId);
    return refuse(by, '', ErrorCode.GROUP_MAX_SIZE_REACHED);
  }
  if (!group.supports(protocolType, by.protocols)) return refuse(by, memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  if (memberId !== '') return rejoin(shard, group, by, nowMs);
  if (groupInstanceId === null) return joinAsNew(shard, group, by, nowMs);
  const known = group.members.get(group.staticMembers.get(groupInstanceId) ?? '');
  const newMemberId = freshMemberId(shard, groupInstanceId);
  if (known === undefined) return addMember(shard, group, by, newMemberId, nowMs);
  return replaceStaticMember(shard, group, by, known, newMemberId, nowMs);
}

/**
 * Members are kept, new ones are let in up to the maximum. During a rebalance those count who have joined: the group may be
 * over its size since the maximum was lowered, and then the last to come back are out.
 */
function hasRoom(group: ClassicGroup, memberId: string, maxSize: number): boolean {
  const member = group.members.get(memberId);
  switch (group.state) {
    case 'Empty':
      return true;
    case 'PreparingRebalance':
      return (member !== undefined && member.awaitingJoin !== null) || group.awaitingJoinCount < maxSize;
    default:
      return member !== undefined || group.members.size < maxSize;
  }
}

function joinAsNew(shard: GroupShard, group: ClassicGroup, by: Joining, nowMs: number): Done {
  const memberId = freshMemberId(shard, by.caller.clientId);
  if (by.caller.apiVersion < KNOWN_MEMBER_ID_VERSION) return addMember(shard, group, by, memberId, nowMs);
  group.pendingJoin.add(memberId);
  scheduleSessionOf(shard, group.groupId, memberId, by.request.sessionTimeoutMs);
  return refuse(by, memberId, ErrorCode.MEMBER_ID_REQUIRED);
}

function addMember(shard: GroupShard, group: ClassicGroup, by: Joining, memberId: string, nowMs: number): Done {
  const { request, caller, protocols, rebalanceTimeoutMs } = by;
  const { groupInstanceId, protocolType, sessionTimeoutMs } = request;
  const { clientId, clientHost } = caller;
  const names = { memberId, groupInstanceId, clientId, clientHost, protocolType };
  const member = new Member({ ...names, rebalanceTimeoutMs, sessionTimeoutMs, protocols });
  member.isNew = true;
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true;
  group.add(member, by.reply);
  scheduleSession(shard, group, member, NEW_MEMBER_JOIN_TIMEOUT_MS);
  return rebalanceOrCompleteJoin(shard, group, `new member ${memberId} joins: ${reasonOf(by)}`, nowMs);
}

/** Somebody who has a member id joins: with an id just given out, for a rebalance, or with something to change. */
function rejoin(shard: GroupShard, group: ClassicGroup, by: Joining, nowMs: number): Done {
  const { memberId, groupInstanceId } = by.request;
  if (group.pendingJoin.has(memberId)) {
    if (groupInstanceId !== null)
      throw new KafkaError('UNKNOWN_SERVER_ERROR', 'an id given out is not for a static member');
    return addMember(shard, group, by, memberId, nowMs);
  }
  let member: Member;
  try {
    member = group.requireMember(memberId, groupInstanceId);
  } catch (error) {
    if (error instanceof KafkaError) return refuse(by, memberId, error.code);
    throw error;
  }
  const isLeader = memberId === group.leaderId;
  const hasChanged = !member.offers(by.protocols);
  switch (group.state) {
    case 'Empty':
      return refuse(by, memberId, ErrorCode.UNKNOWN_MEMBER_ID);
    case 'PreparingRebalance':
      return updateMember(shard, group, by, member, 'joins the rebalance', nowMs);
    case 'CompletingRebalance':
      // the same again: the answer of the rebalance did not reach it
      if (!hasChanged) return reply(by, currentGeneration(group, member));
      return updateMember(shard, group, by, member, 'changed its metadata', nowMs);
    case 'Stable':
      // a leader may have reasons that do not show in its metadata, such as new partitions
      if (isLeader) return updateMember(shard, group, by, member, 'is the leader and joins again', nowMs);
      if (hasChanged) return updateMember(shard, group, by, member, 'changed its metadata', nowMs);
      return reply(by, currentGeneration(group, member));
  }
}

function updateMember(
  shard: GroupShard,
  group: ClassicGroup,
  by: Joining,
  member: Member,
  what: string,
  nowMs: number,
): Done {
  takeOver(group, by, member);
  return rebalanceOrCompleteJoin(shard, group, `member ${member.memberId} ${what}: ${reasonOf(by)}`, nowMs);
}

/** The member is what the request says, and waits for the rebalance. */
export function takeOver(group: ClassicGroup, by: Joining, member: Member): void {
  // its earlier JoinGroup, if one still waits, came over a connection that the client has given up
  group.answerJoin(member, { memberId: member.memberId, errorCode: ErrorCode.REBALANCE_IN_PROGRESS });
  group.setProtocols(member, by.protocols);
  member.rebalanceTimeoutMs = by.rebalanceTimeoutMs;
  member.sessionTimeoutMs = by.request.sessionTimeoutMs;
  group.setAwaitingJoin(member, by.reply);
}

export const reasonOf = (by: Joining): string => by.request.reason || 'not provided';

export function reply(by: Joining, response: JoinResponse): Done {
  by.reply(response);
  return DONE;
}

function refuse(by: Joining, memberId: string, errorCode: ErrorCodeValue): Done {
  return reply(by, { memberId, errorCode });
}

/** Kafka's form: the client's or the instance's name, and a UUID as Java prints it. */
function freshMemberId(shard: GroupShard, name: string): string {
  const hex = Buffer.from(shard.env.random.uuid(), 'base64url').toString('hex');
  return `${name}-${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`;
}
