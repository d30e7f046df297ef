/** What follows when a member changes: for the group's epoch, its target assignment, and the member's way to it. */
import type { GroupShard } from '../group-shard.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import {
  type ConsumerMember,
  isReconciledTo,
  isSameAssignment,
  isSameMetadata,
  isSameSet,
  MemberState,
  regexOf,
} from './consumer-member.ts';
import { reconcile } from './current-assignment.ts';
import type { TopicPartitions } from './partitions.ts';
import type { ConsumerRecords } from './records.ts';
import { type GroupChange, type MemberChange, subscribedTopicIds, type Target } from './target-assignment.ts';
import { cancelRebalance, scheduleRebalance } from './timers.ts';

/** Writes what the member says of itself where that is new; says whether its topics' names are. */
export function writeMember({ before, after }: MemberChange, records: ConsumerRecords): boolean {
  if (isSameMetadata(before, after)) return false;
  records.member(after);
  return !isSameSet(before.subscribedTopicNames, after.subscribedTopicNames);
}

/** The next group epoch where the subscriptions have changed (`bump`) or the subscribed topics are not what they were. */
export function updateGroup(
  shard: GroupShard,
  group: ConsumerGroup,
  { before, after }: MemberChange,
  bump: boolean,
  records: ConsumerRecords,
): GroupChange {
  const image = shard.env.image();
  if (!bump && !group.isMetadataOutdated(image)) {
    return {
      groupEpoch: group.groupEpoch,
      isHomogeneous: () => group.subscriptions.isHomogeneous(group.members.size),
    };
  }
  const counts = group.subscriptions.copy();
  counts.changeMember(before, after);
  const oldRegex = regexOf(before);
  if (oldRegex !== null && group.subscriptions.regexes.has(oldRegex) && !counts.regexes.has(oldRegex))
    counts.changeRegex(group.resolvedRegexes.get(oldRegex)?.topics ?? [], []);
  const isNew = !group.members.has(after.memberId) && group.staticMember(after.instanceId) === null;
  const hash = group.hashOf(image, counts);
  const groupEpoch = group.groupEpoch + Number(bump || hash !== group.metadataHash);
  if (groupEpoch > group.groupEpoch) {
    records.group(groupEpoch, hash);
    shard.env.logger.info({ groupId: group.groupId, groupEpoch }, 'consumer group enters its next epoch');
  }
  group.noteMetadata(image, groupEpoch, counts.topics.keys());
  if (group.hasSubscriptionMetadata) records.removeSubscriptionMetadata();
  return { groupEpoch, isHomogeneous: () => counts.isHomogeneous(group.members.size + Number(isNew)) };
}

/** Takes the member its next step towards its target. Throws FENCED_MEMBER_EPOCH. */
export function reconcileMember(
  shard: GroupShard,
  group: ConsumerGroup,
  member: ConsumerMember,
  { assignmentEpoch, target }: Target,
  hasSubscriptionChanged: boolean,
  owned: readonly TopicPartitions[] | null,
  records: ConsumerRecords,
): ConsumerMember {
  if (!hasSubscriptionChanged && isReconciledTo(member, assignmentEpoch)) return member;
  const after = reconcile({
    member,
    assignmentEpoch,
    target,
    subscribedTopicIds: subscribedTopicIds(shard, group, member),
    hasSubscriptionChanged,
    owned,
    isOwned: (topicId, partition) => group.isOwned(topicId, partition),
  });
  if (isSameAssignment(member, after)) return member;
  records.current(after);
  if (after.classic !== null) return after;
  if (after.state === MemberState.UNREVOKED_PARTITIONS) scheduleRebalance(shard, group.groupId, after);
  else cancelRebalance(shard, group.groupId, after.memberId);
  return after;
}
