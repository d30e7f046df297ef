/** ConsumerGroupHeartbeat: how members join, stay, come back and leave. */
import { KafkaError } from '../../../protocol/errors.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { Caller } from '../caller.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, LEAVE_EPOCH, LEAVE_STATIC_EPOCH, newMember } from './consumer-member.ts';
import { fenceMembers } from './fence.ts';
import { reconcileMember, updateGroup, writeMember } from './member-change.ts';
import { upgrade } from './migration.ts';
import {
  isSameOwned,
  listed,
  NONE_OWNED,
  type OwnedPartitions,
  ownedSince,
  type TopicPartitions,
  withoutEpochs,
} from './partitions.ts';
import { ConsumerRecords } from './records.ts';
import { settingsOf } from './settings.ts';
import { replaceStaticMember, requireKnown, requireSameMember } from './static-member.ts';
import { followRegexes } from './subscriptions/regular-expressions.ts';
import { updateTarget } from './target-assignment.ts';
import { scheduleSession } from './timers.ts';

type Request = MessageOf<typeof ConsumerGroupHeartbeatRequest>;
export type HeartbeatResponse = InputOf<typeof ConsumerGroupHeartbeatResponse>;
type Done = Outcome<GroupRecord, HeartbeatResponse>;

/** The request must have passed `requireValid`. Throws KafkaError. */
export function consumerHeartbeat(shard: GroupShard, caller: Caller, request: Request, nowMs: number): Done {
  const isLeaving = request.memberEpoch === LEAVE_EPOCH || request.memberEpoch === LEAVE_STATIC_EPOCH;
  return isLeaving ? leave(shard, request, nowMs) : stay(shard, caller, request, nowMs);
}

/** A member joins (epoch 0), or says that it lives and what it has done. */
function stay(shard: GroupShard, caller: Caller, request: Request, nowMs: number): Done {
  const { groupId, memberEpoch, topicPartitions: owned } = request;
  const { group, conversion } = open(shard, groupId, memberEpoch === 0, nowMs);
  requireRoom(shard, group, request.memberId);
  const records = new ConsumerRecords(groupId);
  const memberId = request.memberId || shard.env.random.uuid();
  const before = findMember(shard, group, { ...request, memberId }, records);
  const changed = updated(before, caller, request);
  const change = { before, after: changed };
  const namesChanged = writeMember(change, records);
  const regexChange = followRegexes(shard, group, change, records, nowMs);
  const bump = namesChanged || regexChange === 'resolved';
  const groupChange = updateGroup(shard, group, change, bump, records);
  const target = updateTarget(shard, group, change, groupChange, records, nowMs);
  const hasSubscriptionChanged = namesChanged || regexChange !== 'none';
  const member = reconcileMember(shard, group, changed, target, hasSubscriptionChanged, owned, records);
  const { sessionTimeoutMs, heartbeatIntervalMs } = settingsOf(shard, groupId);
  scheduleSession(shard, groupId, memberId, sessionTimeoutMs);
  const tellsAssignment =
    memberEpoch === 0 || isFull(request) || !isSameOwned(before.assignedPartitions, member.assignedPartitions);
  const response: HeartbeatResponse = {
    memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs,
    assignment: tellsAssignment ? { topicPartitions: listed(member.assignedPartitions) } : null,
  };
  return { records: [...conversion, ...records.list], response };
}

/** The group, which a member that joins makes where there is none, or makes of a classic one; with the records for that. */
function open(
  shard: GroupShard,
  groupId: string,
  mayCreate: boolean,
  nowMs: number,
): { readonly group: ConsumerGroup; readonly conversion: readonly GroupRecord[] } {
  const present = shard.groups.get(groupId);
  if (present?.type === 'consumer') return { group: present, conversion: [] };
  if (present === undefined) {
    if (!mayCreate) throw new KafkaError('GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`);
    return { group: new ConsumerGroup(groupId), conversion: [] };
  }
  if (!mayCreate || present.type !== 'classic') throw noConsumerGroup(groupId);
  if (present.isEmpty()) return { group: new ConsumerGroup(groupId), conversion: present.tombstones() };
  return upgrade(shard, present, nowMs);
}

const noConsumerGroup = (groupId: string): KafkaError =>
  new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`);

/** Throws GROUP_MAX_SIZE_REACHED where the group is full and this is no member. */
export function requireRoom(shard: GroupShard, group: ConsumerGroup, memberId: string): void {
  const maxSize = shard.config.get('group.consumer.max.size');
  if (group.members.size < maxSize || group.members.has(memberId)) return;
  const full = `The consumer group has reached its maximum capacity of ${maxSize} members.`;
  throw new KafkaError('GROUP_MAX_SIZE_REACHED', full);
}

function findMember(
  shard: GroupShard,
  group: ConsumerGroup,
  request: Request,
  records: ConsumerRecords,
): ConsumerMember {
  const { memberId, memberEpoch, instanceId } = request;
  if (instanceId !== null) return findStaticMember(shard, group, request, instanceId, records);
  const member = memberEpoch === 0 ? (group.members.get(memberId) ?? newMember(memberId)) : group.member(memberId);
  requireEpoch(member, request);
  if (memberEpoch === 0) shard.env.logger.info({ groupId: group.groupId, memberId }, 'member joins the consumer group');
  return member;
}

function findStaticMember(
  shard: GroupShard,
  group: ConsumerGroup,
  request: Request,
  instanceId: string,
  records: ConsumerRecords,
): ConsumerMember {
  const { memberId, memberEpoch } = request;
  const known = group.staticMember(instanceId);
  if (memberEpoch === 0) {
    const { groupId } = group;
    shard.env.logger.info({ groupId, memberId, instanceId }, 'static member joins the consumer group');
    if (known === null) return group.members.get(memberId) ?? newMember(memberId);
    if (known.classic === null && known.memberEpoch !== LEAVE_STATIC_EPOCH)
      throw unreleased(known, memberId, instanceId);
    return replaceStaticMember(group, known, memberId, records);
  }
  const member = requireSameMember(requireKnown(known, instanceId), memberId, instanceId);
  requireEpoch(member, request);
  return member;
}

function unreleased(known: ConsumerMember, memberId: string, instanceId: string): KafkaError {
  const owned = `the instance id is owned by ${known.memberId} member.`;
  const message = `Static member ${memberId} with instance id ${instanceId} cannot join the group because ${owned}`;
  return new KafkaError('UNRELEASED_INSTANCE_ID', message);
}

/** In its present epoch, or in the one before where it has not heard of the present one. Throws FENCED_MEMBER_EPOCH. */
function requireEpoch(member: ConsumerMember, { memberEpoch, topicPartitions }: Request): void {
  if (memberEpoch === 0 || memberEpoch === member.memberEpoch) return;
  const isGreater = memberEpoch > member.memberEpoch;
  const missedAnswer =
    memberEpoch === member.previousMemberEpoch && ownsNoMoreThan(topicPartitions, member.assignedPartitions);
  if (!isGreater && missedAnswer) return;
  const known = `than the one known by the group coordinator (${member.memberEpoch})`;
  throw new KafkaError(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a ${isGreater ? 'greater' : 'smaller'} member epoch (${memberEpoch}) ${known}. ` +
      'The member must abandon all its partitions and rejoin.',
  );
}

function ownsNoMoreThan(owned: readonly TopicPartitions[] | null, assigned: OwnedPartitions): boolean {
  if (owned === null) return false;
  return owned.every(({ topicId, partitions }) => {
    const epochs = assigned.get(topicId);
    return epochs !== undefined && partitions.every((index) => epochs.has(index));
  });
}

/** The member with what the request says of it; what the request leaves out stays. */
function updated(member: ConsumerMember, { clientId, clientHost }: Caller, request: Request): ConsumerMember {
  const { rebalanceTimeoutMs, subscribedTopicNames } = request;
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    subscribedTopicNames: subscribedTopicNames === null ? member.subscribedTopicNames : new Set(subscribedTopicNames),
    subscribedTopicRegex: request.subscribedTopicRegex ?? member.subscribedTopicRegex,
    clientId,
    clientHost,
    classic: null,
  };
}

/** Whether the request says all there is to say, as a member does that wants to hear all. */
function isFull(request: Request): boolean {
  const subscribes = request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null;
  return request.rebalanceTimeoutMs !== -1 && subscribes && request.topicPartitions !== null;
}

function leave(shard: GroupShard, request: Request, nowMs: number): Done {
  const { groupId, memberId, memberEpoch, instanceId } = request;
  const group = requireGroup(shard, groupId);
  const response = { memberId, memberEpoch };
  shard.env.logger.info({ groupId, memberId, instanceId, memberEpoch }, 'member leaves the consumer group');
  if (instanceId === null) return fenceMembers(shard, group, [group.member(memberId)], response, nowMs);
  const known = requireKnown(group.staticMember(instanceId), instanceId);
  const member = requireSameMember(known, memberId, instanceId);
  if (memberEpoch === LEAVE_EPOCH) return fenceMembers(shard, group, [member], response, nowMs);
  // its partitions are kept for it, until its session ends
  const records = new ConsumerRecords(groupId);
  records.current({
    ...member,
    memberEpoch: LEAVE_STATIC_EPOCH,
    assignedPartitions: ownedSince(withoutEpochs(member.assignedPartitions), 0),
    partitionsPendingRevocation: NONE_OWNED,
  });
  return { records: records.list, response };
}

/** Throws GROUP_ID_NOT_FOUND. */
export function requireGroup(shard: GroupShard, groupId: string): ConsumerGroup {
  const group = shard.groups.get(groupId);
  if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`);
  if (group.type !== 'consumer') throw noConsumerGroup(groupId);
  return group;
}
