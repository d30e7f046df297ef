/** Members of consumer groups who speak the classic protocol: what JoinGroup, SyncGroup, Heartbeat and LeaveGroup mean to them. */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../../../protocol/messages/12-heartbeat.ts';
import type { LeaveGroupResponse } from '../../../protocol/messages/13-leave-group.ts';
import type { SyncGroupRequest } from '../../../protocol/messages/14-sync-group.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { Reply } from '../../coordinator/answer.ts';
import { coordinatorError } from '../../coordinator/errors.ts';
import { answered, DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { Joining } from '../classic/join.ts';
import type { Leaving } from '../classic/leave.ts';
import type { JoinResponse, Protocol, SyncResponse } from '../classic/member.ts';
import type { Done } from '../classic/rebalance.ts';
import { CONSUMER_PROTOCOL_TYPE } from '../classic/subscription.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ClassicMemberMetadata, type ConsumerMember, MemberState, newMember } from './consumer-member.ts';
import { ownedPartitions, readSubscription, type Subscription, writeAssignment } from './embedded-protocol.ts';
import { fenceMembers } from './fence.ts';
import { requireRoom } from './heartbeat.ts';
import { reconcileMember, updateGroup, writeMember } from './member-change.ts';
import { downgrade, mayDowngradeReplacing, migrationPolicy } from './migration.ts';
import { withoutEpochs } from './partitions.ts';
import { ConsumerRecords } from './records.ts';
import { replaceStaticMember, requireKnown, requireSameMember } from './static-member.ts';
import { followRegexes } from './subscriptions/regular-expressions.ts';
import { updateTarget } from './target-assignment.ts';
import { cancelJoin, cancelSync, scheduleJoin, scheduleSession, scheduleSync } from './timers.ts';

/** From then on a new dynamic member must come back with the id that it is given (KIP-394). */
const KNOWN_MEMBER_ID_VERSION = 4;

/** A member joins, or joins again to take its next step. It leads nobody: the coordinator assigns. Throws KafkaError. */
export function joinConsumerGroup(shard: GroupShard, group: ConsumerGroup, by: Joining, nowMs: number): Done {
  const isUnknown = by.request.memberId === '';
  const memberId = by.request.memberId || shard.env.random.uuid();
  requireJoinable(shard, group, by, memberId);
  const isAskedBack =
    isUnknown && by.request.groupInstanceId === null && by.caller.apiVersion >= KNOWN_MEMBER_ID_VERSION;
  if (!isAskedBack) return joinAs(shard, group, by, memberId, nowMs);
  by.reply({ memberId, errorCode: ErrorCode.MEMBER_ID_REQUIRED });
  return DONE;
}

function requireJoinable(shard: GroupShard, group: ConsumerGroup, by: Joining, memberId: string): void {
  if (migrationPolicy(shard) === 'disabled') throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL');
  requireRoom(shard, group, memberId);
  const { protocolType } = by.request;
  const isSupported = protocolType === CONSUMER_PROTOCOL_TYPE && by.protocols.some((p) => group.isOfferedByAll(p.name));
  if (!isSupported) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL');
}

function joinAs(shard: GroupShard, group: ConsumerGroup, by: Joining, memberId: string, nowMs: number): Done {
  const records = new ConsumerRecords(group.groupId);
  const { groupInstanceId } = by.request;
  const replaced = group.staticMember(groupInstanceId);
  const becomesClassic = replaced !== null && mayDowngradeReplacing(shard, group, replaced);
  const before = findMember(group, by, memberId, records);
  const subscription = readSubscription(by.protocols[0].metadata);
  const changed = joinedMember(before, by, subscription);
  const change = { before, after: changed };
  const namesChanged = writeMember(change, records);
  const bump = followRegexes(shard, group, change, records, nowMs) !== 'none' || namesChanged;
  const groupChange = updateGroup(shard, group, change, bump, records);
  const owned = ownedPartitions(shard.env.image(), subscription);
  if (becomesClassic) {
    const isStale = group.assignmentEpoch < groupChange.groupEpoch;
    const target = { assignmentEpoch: group.assignmentEpoch, target: group.targetOf(replaced.memberId) };
    const joining = isStale ? changed : reconcileMember(shard, group, changed, target, bump, owned, records);
    const rebalanceFor = isStale ? 'the consumer group had no assignment for its present epoch' : null;
    const outcome = downgrade(shard, group, { leaving: [], joining, rebalanceFor, nowMs }, records.list, undefined);
    return answering(outcome, by, () => by.reply(joined(joining)));
  }
  const target = updateTarget(shard, group, change, groupChange, records, nowMs);
  const member = reconcileMember(shard, group, changed, target, bump, owned, records);
  return answering({ records: records.list, response: undefined }, by, () => {
    const { groupId } = group;
    cancelJoin(shard, groupId, memberId);
    scheduleSession(shard, groupId, memberId, by.request.sessionTimeoutMs);
    scheduleSync(shard, groupId, memberId, by.request.rebalanceTimeoutMs);
    by.reply(joined(member));
  });
}

/** Answers when all is written, or with what was in the way. */
function answering(outcome: Done, by: Joining, answer: () => void): Done {
  const { next } = outcome;
  return {
    ...outcome,
    next: (nowMs) => {
      answer();
      return next?.(nowMs) ?? DONE;
    },
    failed: (error) => by.reply({ memberId: by.request.memberId, errorCode: coordinatorError(error.code) }),
  };
}

function findMember(group: ConsumerGroup, by: Joining, memberId: string, records: ConsumerRecords): ConsumerMember {
  const { groupInstanceId, memberId: claimed } = by.request;
  const known = group.members.get(memberId) ?? newMember(memberId);
  if (groupInstanceId === null) return known;
  const present = group.staticMember(groupInstanceId);
  if (claimed !== '') return requireSameMember(requireKnown(present, groupInstanceId), memberId, groupInstanceId);
  return present === null ? known : replaceStaticMember(group, present, memberId, records);
}

function joinedMember(member: ConsumerMember, by: Joining, subscription: Subscription): ConsumerMember {
  const { groupInstanceId, rebalanceTimeoutMs, sessionTimeoutMs } = by.request;
  const { clientId, clientHost } = by.caller;
  return {
    ...member,
    instanceId: groupInstanceId ?? member.instanceId,
    rackId: subscription.rackId || member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    subscribedTopicNames: new Set(subscription.topics),
    subscribedTopicRegex: '',
    clientId,
    clientHost,
    classic: { sessionTimeoutMs, supportedProtocols: by.protocols },
  };
}

function joined(member: ConsumerMember): JoinResponse {
  return {
    memberId: member.memberId,
    generationId: member.memberEpoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: classicOf(member).supportedProtocols[0].name,
  };
}

/** A member asks for what it was assigned when it joined. */
export function syncConsumerGroup(
  shard: GroupShard,
  group: ConsumerGroup,
  request: MessageOf<typeof SyncGroupRequest>,
  reply: Reply<SyncResponse>,
): Done {
  const { memberId, groupInstanceId, generationId, protocolType, protocolName } = request;
  try {
    const member = requireMember(group, memberId, groupInstanceId);
    const { sessionTimeoutMs, supportedProtocols } = classicOf(member);
    requireGeneration(member, generationId);
    requireSameProtocol(supportedProtocols[0], protocolType, protocolName);
    if (group.assignmentEpoch > member.memberEpoch && member.state !== MemberState.UNREVOKED_PARTITIONS) {
      scheduleJoin(shard, group.groupId, memberId, member.rebalanceTimeoutMs);
      throw new KafkaError('REBALANCE_IN_PROGRESS');
    }
    cancelSync(shard, group.groupId, memberId);
    scheduleSession(shard, group.groupId, memberId, sessionTimeoutMs);
    const partitions = withoutEpochs(member.assignedPartitions);
    const assignment = writeAssignment(shard.env.image(), partitions, supportedProtocols[0].metadata);
    reply({ protocolType, protocolName, assignment });
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    reply({ errorCode: error.code });
  }
  return DONE;
}

/** Throws KafkaError. A member with a step to take is told to join again. */
export function heartbeatConsumerGroup(
  shard: GroupShard,
  group: ConsumerGroup,
  request: MessageOf<typeof HeartbeatRequest>,
): Outcome<never, InputOf<typeof HeartbeatResponse>> {
  const { memberId, groupInstanceId, generationId } = request;
  const member = requireMember(group, memberId, groupInstanceId);
  const { sessionTimeoutMs } = classicOf(member);
  requireGeneration(member, generationId);
  scheduleSession(shard, group.groupId, memberId, sessionTimeoutMs);
  if (!hasStepToTake(group, member)) return answered({ errorCode: ErrorCode.NONE });
  scheduleJoin(shard, group.groupId, memberId, member.rebalanceTimeoutMs);
  return answered({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS });
}

function hasStepToTake(group: ConsumerGroup, member: ConsumerMember): boolean {
  if (member.memberEpoch < group.assignmentEpoch || member.state === MemberState.UNREVOKED_PARTITIONS) return true;
  return member.state === MemberState.UNRELEASED_PARTITIONS && !waitsForOthers(group, member);
}

/** Whether some partition of the member's target still is another's. */
function waitsForOthers(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.targetOf(member.memberId)) {
    const assigned = member.assignedPartitions.get(topicId);
    for (const index of partitions) if (!assigned?.has(index) && group.isOwned(topicId, index)) return true;
  }
  return false;
}

/** Members leave, of either protocol; each has a result of its own. */
export function leaveConsumerGroup(
  shard: GroupShard,
  group: ConsumerGroup,
  members: readonly Leaving[],
  nowMs: number,
): Outcome<GroupRecord, InputOf<typeof LeaveGroupResponse>> {
  const left = new Set<ConsumerMember>();
  const results = members.map((leaving) => {
    const { memberId, groupInstanceId } = leaving;
    try {
      left.add(requireLeaving(group, leaving));
      shard.env.logger.info({ groupId: group.groupId, memberId, groupInstanceId }, 'member leaves by LeaveGroup');
      return { memberId, groupInstanceId, errorCode: ErrorCode.NONE };
    } catch (error) {
      if (error instanceof KafkaError) return { memberId, groupInstanceId, errorCode: error.code };
      throw error;
    }
  });
  return fenceMembers(shard, group, [...left], { members: results }, nowMs);
}

/** An administrator names a static member by its instance id alone. */
function requireLeaving(group: ConsumerGroup, { memberId, groupInstanceId }: Leaving): ConsumerMember {
  if (groupInstanceId === null) return group.member(memberId);
  const member = requireKnown(group.staticMember(groupInstanceId), groupInstanceId);
  return memberId === '' ? member : requireSameMember(member, memberId, groupInstanceId);
}

/** Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
function requireMember(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember {
  if (instanceId === null) return group.member(memberId);
  return requireSameMember(requireKnown(group.staticMember(instanceId), instanceId), memberId, instanceId);
}

/** Throws UNKNOWN_MEMBER_ID where the member does not speak the classic protocol. */
function classicOf(member: ConsumerMember): ClassicMemberMetadata {
  if (member.classic !== null) return member.classic;
  throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${member.memberId} does not use the classic protocol.`);
}

function requireGeneration(member: ConsumerMember, generationId: number): void {
  if (member.memberEpoch !== generationId) throw new KafkaError('ILLEGAL_GENERATION');
}

/** Null: the client does not say (before SyncGroup 5). */
function requireSameProtocol(protocol: Protocol, type: string | null, name: string | null): void {
  const isSame = (type === null || type === CONSUMER_PROTOCOL_TYPE) && (name === null || name === protocol.name);
  if (!isSame) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL');
}
