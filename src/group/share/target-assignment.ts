import { groupConfig } from '../../config/group-config.ts';
import type { MetadataImage } from '../../controller/image.ts';
import type { GroupShard } from '../group-shard.ts';
import { assign } from './assignor.ts';
import { type ShareRecord, targetMemberRecord } from './records.ts';
import type { ShareGroup, Subscriptions } from './share-group.ts';
import type { ShareMember } from './share-member.ts';
import { isSamePartitions, NO_PARTITIONS, type TopicPartitions } from './topic-partitions.ts';

/** What a member is to have, and since which epoch of the group. */
export interface Target {
  readonly epoch: number;
  readonly partitions: TopicPartitions;
}

/** The group as an operation is about to make it. */
export interface NextGroup {
  readonly epoch: number;
  /** In the place of the member that the group has under its id, or new. */
  readonly member: ShareMember;
  readonly subscriptions: Subscriptions;
}

/**
 * The member's target: where the group's epoch has none yet, it is computed for all members and its records are added to `records`, though
 * not more often than share.assignment.interval.ms says; until then the last one holds.
 */
export function targetOf(
  shard: GroupShard,
  group: ShareGroup,
  next: NextGroup,
  records: ShareRecord[],
  nowMs: number,
): Target {
  const { memberId } = next.member;
  const isDue = group.targetEpoch < next.epoch && isIntervalOver(shard, group, nowMs);
  if (!isDue) return { epoch: group.targetEpoch, partitions: group.target.get(memberId) ?? NO_PARTITIONS };
  const targets = computeTargets(shard.env.image(), group, next);
  for (const [id, partitions] of targets) {
    const present = group.target.get(id);
    if (present === undefined || !isSamePartitions(present, partitions))
      records.push(targetMemberRecord(group.groupId, id, partitions));
  }
  const value = { assignmentEpoch: next.epoch, assignmentTimestamp: nowMs };
  records.push({ type: 'share', what: 'target', groupId: group.groupId, value });
  return { epoch: next.epoch, partitions: targets.get(memberId) ?? NO_PARTITIONS };
}

function isIntervalOver(shard: GroupShard, group: ShareGroup, nowMs: number): boolean {
  if (group.targetTimestampMs === 0) return true;
  const intervalMs = groupConfig(shard.env.image(), shard.config, group.groupId).get('share.assignment.interval.ms');
  return nowMs >= group.targetTimestampMs + intervalMs;
}

/** Only partitions that have state are given away. */
function computeTargets(image: MetadataImage, group: ShareGroup, next: NextGroup): Map<string, TopicPartitions> {
  const members = new Map(group.members).set(next.member.memberId, next.member);
  const specs = [...members.values()].map(({ memberId, subscribedTopicNames }) => ({
    memberId,
    subscribedTopicIds: topicIds(image, subscribedTopicNames),
    assigned: group.target.get(memberId) ?? NO_PARTITIONS,
  }));
  const initialized = group.statePartitions?.initialized ?? [];
  const assignable = new Map([...initialized].map(([topicId, { partitions }]) => [topicId, partitions]));
  const isHomogeneous = [...next.subscriptions.values()].every((count) => count === members.size);
  return assign(specs, assignable, isHomogeneous);
}

/** Topics that are not there have no id. */
export function topicIds(image: MetadataImage, names: Iterable<string>): Set<string> {
  const ids = new Set<string>();
  for (const name of names) {
    const topic = image.topic(name);
    if (topic !== undefined) ids.add(topic.id);
  }
  return ids;
}
