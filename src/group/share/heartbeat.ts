import { KafkaError } from '../../../protocol/errors.ts';
import type {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../../protocol/messages/76-share-group-heartbeat.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { groupConfig } from '../../config/group-config.ts';
import type { MetadataImage } from '../../controller/image.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { Caller } from '../caller.ts';
import type { GroupShard } from '../group-shard.ts';
import { metadataHash } from '../metadata-hash.ts';
import type { GroupRecord } from '../records.ts';
import { findOrNewShareGroup, requireShareGroup } from './find.ts';
import {
  hasUnassigned,
  type Initialization,
  initializationOf,
  initializingRecord,
  uninitialized,
} from './initialize.ts';
import { sessionTimeoutMs } from './life.ts';
import type { ShareRecord } from './records.ts';
import { isSameSet } from './sets.ts';
import type { ShareGroup, Subscriptions } from './share-group.ts';
import {
  assignmentOf,
  isSameAssignment,
  isSameMetadata,
  metadataOf,
  newMember,
  type ShareMember,
} from './share-member.ts';
import { type Target, targetOf, topicIds } from './target-assignment.ts';
import { scheduleSession } from './timers.ts';
import { isSamePartitions, listed, type TopicPartitions } from './topic-partitions.ts';

export type HeartbeatRequest = MessageOf<typeof ShareGroupHeartbeatRequest>;
export type HeartbeatResponse = InputOf<typeof ShareGroupHeartbeatResponse>;

export interface Heartbeat {
  readonly response: HeartbeatResponse;
  /** State that the group needs before it can assign the partitions. */
  readonly initialization: Initialization | null;
}

/** The member epoch with which a member joins. */
const JOINING = 0;

/**
 * A member joins, changes its subscription or says that it lives, and is told what it is to read. Throws GROUP_ID_NOT_FOUND,
 * UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, GROUP_MAX_SIZE_REACHED.
 */
export function heartbeat(
  shard: GroupShard,
  caller: Caller,
  request: HeartbeatRequest,
  nowMs: number,
): Outcome<GroupRecord, Heartbeat> {
  const { groupId, memberId, memberEpoch } = request;
  const isJoining = memberEpoch === JOINING;
  const group = isJoining ? findOrNewShareGroup(shard, groupId) : requireShareGroup(shard, groupId, 'Share group');
  requireRoom(shard, group, memberId);
  const known = group.members.get(memberId);
  const present = isJoining ? (known ?? newMember(memberId)) : group.requireMember(memberId);
  requireEpoch(present, memberEpoch);

  const records: ShareRecord[] = [];
  const image = shard.env.image();
  const said = asSaid(present, caller, request);
  if (known === undefined || !isSameMetadata(said, present))
    records.push({ type: 'share', what: 'member', groupId, memberId, value: metadataOf(said) });
  const { epoch, isNewEpoch, subscriptions } = nextEpoch(group, known, said, image, records);
  const target = targetOf(shard, group, { epoch, member: said, subscriptions }, records, nowMs);
  const updated = reconciled(said, target, isNewEpoch, image);
  if (!isSameAssignment(updated, said))
    records.push({ type: 'share', what: 'current-member', groupId, memberId, value: assignmentOf(updated) });
  const missing = uninitialized(shard, group, subscriptions.keys(), nowMs);
  if (missing.size > 0) records.push(initializingRecord(shard, group, missing, nowMs));

  scheduleSession(shard, groupId, memberId, sessionTimeoutMs(shard, groupId));
  const isTold =
    isJoining || request.subscribedTopicNames !== null || !isSamePartitions(present.assigned, updated.assigned);
  return {
    records,
    response: {
      response: {
        memberId,
        memberEpoch: updated.memberEpoch,
        heartbeatIntervalMs: groupConfig(image, shard.config, groupId).get('share.heartbeat.interval.ms'),
        assignment: isTold ? { topicPartitions: listed(updated.assigned) } : null,
      },
      initialization: missing.size > 0 ? initializationOf(groupId, epoch, missing) : null,
    },
  };
}

function requireRoom(shard: GroupShard, group: ShareGroup, memberId: string): void {
  const maxSize = shard.config.get('group.share.max.size');
  if (group.members.size < maxSize || group.members.has(memberId)) return;
  throw new KafkaError(
    'GROUP_MAX_SIZE_REACHED',
    `The share group has reached its maximum capacity of ${maxSize} members.`,
  );
}

/** The epoch before is good, too: the response that brought the present one may have been lost. */
function requireEpoch({ memberEpoch, previousMemberEpoch }: ShareMember, received: number): void {
  if (received === JOINING || received === memberEpoch || received === previousMemberEpoch) return;
  const known = `than the one known by the group coordinator (${memberEpoch})`;
  const rejoin = 'The member must abandon all its partitions and rejoin.';
  const message =
    received > memberEpoch
      ? `The share group member has a greater member epoch (${received}) ${known}. ${rejoin}`
      : `The share group member has a smaller member epoch (${received}) ${known}, and it does not match the previous member epoch (${previousMemberEpoch}). ${rejoin}`;
  throw new KafkaError('FENCED_MEMBER_EPOCH', message);
}

/** The member with what it says of itself now; null means as before. */
function asSaid(member: ShareMember, { clientId, clientHost }: Caller, request: HeartbeatRequest): ShareMember {
  const names = request.subscribedTopicNames;
  return {
    ...member,
    rackId: request.rackId ?? member.rackId,
    clientId,
    clientHost,
    subscribedTopicNames: names === null ? member.subscribedTopicNames : new Set(names),
  };
}

/**
 * The group gets a new epoch, noted in `records`, where subscriptions or the topics subscribed to have changed, or partitions have got their
 * state since the last assignment.
 */
function nextEpoch(
  group: ShareGroup,
  known: ShareMember | undefined,
  said: ShareMember,
  image: MetadataImage,
  records: ShareRecord[],
): { epoch: number; isNewEpoch: boolean; subscriptions: Subscriptions } {
  const before = known?.subscribedTopicNames ?? new Set();
  const isChanged =
    !isSameSet(before, said.subscribedTopicNames) || (group.targetEpoch >= group.epoch && isAnyUnassigned(group));
  const { epoch, checked, subscriptions: present } = group;
  const isChecked = checked?.image === image && epoch >= checked.epoch;
  if (!isChanged && isChecked) return { epoch, isNewEpoch: false, subscriptions: present };
  const subscriptions = group.subscriptionsWith(known, said);
  const hash = metadataHash(image, subscriptions.keys());
  const isNewEpoch = isChanged || hash !== group.metadataHash;
  const next = isNewEpoch ? epoch + 1 : epoch;
  if (isNewEpoch) {
    const value = { epoch: next, metadataHash: hash };
    records.push({ type: 'share', what: 'group', groupId: group.groupId, value });
  }
  group.checked = { image, epoch: next };
  return { epoch: next, isNewEpoch, subscriptions };
}

/** Looks only when something has changed: members of large groups heartbeat often. */
function isAnyUnassigned(group: ShareGroup): boolean {
  group.unassigned ??= hasUnassigned(group);
  return group.unassigned;
}

/** The member takes its target at once, but for topics that it does not subscribe to any more. */
function reconciled(member: ShareMember, target: Target, isNewEpoch: boolean, image: MetadataImage): ShareMember {
  const isBehind = target.epoch !== member.memberEpoch;
  if (!isBehind && !isNewEpoch) return member;
  const assigned = onlyTopics(target.partitions, topicIds(image, member.subscribedTopicNames));
  if (!isBehind) return { ...member, assigned };
  return { ...member, memberEpoch: target.epoch, previousMemberEpoch: member.memberEpoch, assigned };
}

function onlyTopics(of: TopicPartitions, ids: ReadonlySet<string>): TopicPartitions {
  return new Map([...of].filter(([topicId]) => ids.has(topicId)));
}
