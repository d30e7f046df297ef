/**
 * A classic group becomes a consumer group when the first member of the consumer protocol joins, and a classic one again when
 * the last of them leaves; its members go on as they are (KIP-848, online migration).
 */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import { ClassicGroup } from '../classic/classic-group.ts';
import { Member, type Protocol } from '../classic/member.ts';
import { prepareRebalance } from '../classic/rebalance.ts';
import { groupMetadata } from '../classic/records.ts';
import { CONSUMER_PROTOCOL_TYPE } from '../classic/subscription.ts';
import { scheduleSession as scheduleClassicSession } from '../classic/timers.ts';
import type { GroupShard } from '../group-shard.ts';
import { metadataHash } from '../metadata-hash.ts';
import type { GroupRecord } from '../records.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, MemberState, newMember } from './consumer-member.ts';
import { readAssignment, readSubscription, writeAssignment } from './embedded-protocol.ts';
import { ownedSince, type Partitions, withoutEpochs } from './partitions.ts';
import { ConsumerRecords } from './records.ts';
import { scheduleSession } from './timers.ts';

type Policy = 'disabled' | 'upgrade' | 'downgrade' | 'bidirectional';

/** Which way groups may go. */
export function migrationPolicy(shard: GroupShard): Policy {
  return shard.config.get('group.consumer.migration.policy').toLowerCase() as Policy;
}

interface Upgraded {
  /** As the records make it. */
  readonly group: ConsumerGroup;
  readonly conversion: readonly GroupRecord[];
}

/** Makes a consumer group of a classic one with members. Throws GROUP_ID_NOT_FOUND where that cannot be. */
export function upgrade(shard: GroupShard, classic: ClassicGroup, nowMs: number): Upgraded {
  requireUpgradable(shard, classic);
  const { groupId } = classic;
  const members = [...classic.members.values()].map((member) => upgradedMember(shard, classic, member));
  const records = new ConsumerRecords(groupId);
  for (const member of members) records.member(member);
  const topics = members.flatMap((member) => [...member.subscribedTopicNames]);
  records.group(classic.generationId, metadataHash(shard.env.image(), topics));
  for (const { memberId, assignedPartitions } of members)
    records.targetMember(memberId, withoutEpochs(assignedPartitions));
  // as old as can be: the next change of the group makes a new one at once
  records.target(classic.generationId, 0);
  for (const member of members) records.current(member);
  const group = new ConsumerGroup(groupId);
  for (const record of records.list) group.apply(record);
  answerAll(classic);
  for (const { memberId, classic: ofClassic } of members)
    scheduleSession(shard, groupId, memberId, ofClassic?.sessionTimeoutMs ?? 0);
  shard.env.logger.info({ groupId, members: members.length, nowMs }, 'classic group becomes a consumer group');
  return { group, conversion: [...classic.tombstones(), ...records.list] };
}

function requireUpgradable(shard: GroupShard, classic: ClassicGroup): void {
  const policy = migrationPolicy(shard);
  if (policy !== 'upgrade' && policy !== 'bidirectional') throw notUpgradable(classic, 'online upgrade is disabled');
  if (!classic.usesConsumerProtocol())
    throw notUpgradable(classic, 'the group does not use the consumer embedded protocol');
  if (classic.members.size > shard.config.get('group.consumer.max.size'))
    throw notUpgradable(classic, 'the group size exceeds the consumer group maximum size');
}

function notUpgradable({ groupId }: ClassicGroup, why: string): KafkaError {
  return new KafkaError(
    'GROUP_ID_NOT_FOUND',
    `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`,
  );
}

/** In its first rebalance a group has no strategy yet: then what a member says under the one that it likes best counts. */
function upgradedMember(shard: GroupShard, classic: ClassicGroup, member: Member): ConsumerMember {
  const protocolName = classic.protocolName ?? member.protocols[0].name;
  const partitions = upgradedAssignment(shard, classic, member);
  try {
    const subscription = readSubscription(member.metadata(protocolName));
    return {
      ...newMember(member.memberId),
      memberEpoch: classic.generationId,
      previousMemberEpoch: classic.generationId,
      state: MemberState.STABLE,
      instanceId: member.groupInstanceId,
      rackId: subscription.rackId || null,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: new Set(subscription.topics),
      assignedPartitions: ownedSince(partitions, classic.generationId),
      classic: { sessionTimeoutMs: member.sessionTimeoutMs, supportedProtocols: member.protocols },
    };
  } catch (error) {
    throw readable(classic, error);
  }
}

function upgradedAssignment(shard: GroupShard, classic: ClassicGroup, member: Member): Partitions {
  try {
    const { partitions, hasUserData } = readAssignment(shard.env.image(), member.assignment);
    if (!hasUserData) return partitions;
  } catch (error) {
    throw readable(classic, error);
  }
  const advice = 'Please refer to the documentation or switch to a default assignor before re-attempting the upgrade';
  throw notUpgradable(classic, `an unsupported custom assignor is in use. ${advice}`);
}

function readable(classic: ClassicGroup, error: unknown): unknown {
  if (!(error instanceof MalformedError)) return error;
  return notUpgradable(classic, 'the embedded consumer protocol is malformed');
}

/** Whoever waits for the classic rebalance is to join again, and then joins the consumer group. */
function answerAll(classic: ClassicGroup): void {
  const errorCode = ErrorCode.REBALANCE_IN_PROGRESS;
  for (const member of classic.members.values()) {
    classic.answerJoin(member, { memberId: member.memberId, errorCode });
    member.answerSync({ errorCode });
  }
}

/** Whether the group is to be a classic one when these members have left. */
export function mayDowngradeWithout(
  shard: GroupShard,
  group: ConsumerGroup,
  leaving: readonly ConsumerMember[],
): boolean {
  const left = group.members.size - leaving.length;
  const classicLeaving = leaving.filter((member) => member.classic !== null).length;
  return left > 0 && group.classicMemberCount - classicLeaving === left && mayDowngradeTo(shard, left);
}

/** Whether the group is to be a classic one when this static member has been replaced by one of the classic protocol. */
export function mayDowngradeReplacing(shard: GroupShard, group: ConsumerGroup, replaced: ConsumerMember): boolean {
  const { size } = group.members;
  return replaced.classic === null && group.classicMemberCount === size - 1 && mayDowngradeTo(shard, size);
}

function mayDowngradeTo(shard: GroupShard, size: number): boolean {
  const policy = migrationPolicy(shard);
  return (policy === 'downgrade' || policy === 'bidirectional') && size <= shard.config.get('group.max.size');
}

export interface Downgrade {
  /** They are not members any more. */
  readonly leaving: readonly ConsumerMember[];
  /** A static member of the classic protocol that takes the place of one of the consumer protocol. */
  readonly joining?: ConsumerMember;
  /** Why the members are to join again; null where the assignment stands. */
  readonly rebalanceFor: string | null;
  readonly nowMs: number;
}

/** Makes a classic group of a consumer group; `records` come before those of the change. */
export function downgrade<T>(
  shard: GroupShard,
  group: ConsumerGroup,
  change: Downgrade,
  records: readonly GroupRecord[],
  response: T,
): Outcome<GroupRecord, T> {
  const { leaving, joining, rebalanceFor } = change;
  const { groupId } = group;
  const replaced = joining === undefined ? null : group.staticMember(joining.instanceId);
  const gone = new Set(leaving.map((member) => member.memberId));
  const staying = [...group.members.values()].filter((m) => m !== replaced && !gone.has(m.memberId));
  const tombstones = new ConsumerRecords(groupId);
  const memberIds = [...group.members.keys()].map((id) => (id === replaced?.memberId ? (joining?.memberId ?? id) : id));
  tombstones.removeGroup(memberIds, [...group.resolvedRegexes.keys()]);
  const members = joining === undefined ? staying : [...staying, joining];
  const classic = classicGroup(shard, group, members, replaced, change.nowMs);
  const value = groupMetadata(classic, [...classic.members.values()]);
  const protocols = new Map([...classic.members.values()].map((m) => [m.memberId, m.protocols]));
  return {
    records: [...records, ...tombstones.list, { type: 'classic', groupId, value }],
    response,
    next: (nowMs) => {
      shard.env.logger.info({ groupId, members: members.length }, 'consumer group becomes a classic group');
      const present = shard.groups.get(groupId);
      if (present?.type !== 'classic') throw new Error(`group ${groupId} is no classic group`);
      resume(shard, present, protocols);
      if (rebalanceFor === null) return { records: [], response };
      return { ...prepareRebalance(shard, present, rebalanceFor, nowMs), next: undefined, response };
    },
  };
}

/** The log keeps of each member the strategy in use only; they have offered more. */
function resume(shard: GroupShard, group: ClassicGroup, protocols: ReadonlyMap<string, readonly Protocol[]>): void {
  for (const member of group.members.values()) {
    group.setProtocols(member, protocols.get(member.memberId) ?? member.protocols);
    scheduleClassicSession(shard, group, member);
  }
}

/** The classic group as its record will have it: stable, with the targets of the consumer group as assignments. */
function classicGroup(
  shard: GroupShard,
  group: ConsumerGroup,
  members: readonly ConsumerMember[],
  replaced: ConsumerMember | null,
  nowMs: number,
): ClassicGroup {
  const classic = new ClassicGroup(group.groupId, nowMs);
  for (const member of members) {
    const { memberId, instanceId: groupInstanceId, clientId, clientHost, rebalanceTimeoutMs } = member;
    if (member.classic === null) throw new Error(`member ${memberId} does not speak the classic protocol`);
    const { sessionTimeoutMs, supportedProtocols: protocols } = member.classic;
    const names = { memberId, groupInstanceId, clientId, clientHost, protocolType: CONSUMER_PROTOCOL_TYPE };
    classic.add(new Member({ ...names, rebalanceTimeoutMs, sessionTimeoutMs, protocols }), null);
  }
  classic.generationId = group.groupEpoch;
  classic.protocolName = classic.selectProtocol();
  for (const member of classic.members.values()) {
    const isReplacement = replaced !== null && member.groupInstanceId === replaced.instanceId;
    const target = group.targetOf(isReplacement ? replaced.memberId : member.memberId);
    member.assignment = writeAssignment(shard.env.image(), target, member.metadata(classic.protocolName));
  }
  return classic;
}
