import { CONSUMER_ASSIGNORS } from '../../config/implemented.ts';
import type { GroupShard } from '../group-shard.ts';
import type { Assignor, MemberSpec } from './assignors/assignor.ts';
import { rangeAssignor } from './assignors/range.ts';
import { uniformAssignor } from './assignors/uniform.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, regexOf } from './consumer-member.ts';
import { isSameTarget, NO_PARTITIONS, type Partitions } from './partitions.ts';
import type { ConsumerRecords } from './records.ts';
import { settingsOf } from './settings.ts';

const ASSIGNORS: readonly Assignor[] = [uniformAssignor, rangeAssignor];

/** Those that group.consumer.assignors names; the first is the default. A start with others is refused. */
export function configuredAssignors(names: readonly string[]): Assignor[] {
  return names.map((name) => {
    const assignor = ASSIGNORS.find((one) => one.name === CONSUMER_ASSIGNORS.get(name));
    if (assignor === undefined) throw new Error(`there is no assignor ${name}`);
    return assignor;
  });
}

/** A member that is about to change. */
export interface MemberChange {
  readonly before: ConsumerMember;
  readonly after: ConsumerMember;
}

/** What a member's change means for its group. */
export interface GroupChange {
  readonly groupEpoch: number;
  /** Whether all members subscribe to the same topics. */
  isHomogeneous(): boolean;
}

/** The target of a member and the epoch that it is of. */
export interface Target {
  readonly assignmentEpoch: number;
  readonly target: Partitions;
}

/**
 * Makes a new target assignment where one is due for the group's epoch and the last one is not too fresh; gives the target of the
 * member that changes.
 */
export function updateTarget(
  shard: GroupShard,
  group: ConsumerGroup,
  { before, after }: MemberChange,
  change: GroupChange,
  records: ConsumerRecords,
  nowMs: number,
): Target {
  const replaced = replacedBy(group, after);
  const { groupEpoch } = change;
  const isDue = group.assignmentEpoch < groupEpoch && isOldEnough(shard, group, nowMs);
  if (!isDue) {
    return { assignmentEpoch: group.assignmentEpoch, target: group.targetOf(replaced ?? after.memberId) };
  }
  const members = new Map(group.members);
  if (replaced !== null) members.delete(replaced);
  members.set(after.memberId, after);
  const image = shard.env.image();
  const specs = new Map<string, MemberSpec>();
  for (const [memberId, member] of members) {
    const target = group.targetOf(member === after && replaced !== null ? replaced : memberId);
    specs.set(memberId, {
      instanceId: member.instanceId,
      subscribedTopicIds: subscribedTopicIds(shard, group, member),
      target,
    });
  }
  const partitionCount = (topicId: string) => image.topicById(topicId)?.partitions.length ?? 0;
  const isHomogeneous = change.isHomogeneous();
  const assignment = choose(shard, group, before, after).assign({ members: specs, isHomogeneous, partitionCount });
  for (const memberId of specs.keys()) {
    const target = assignment.get(memberId) ?? NO_PARTITIONS;
    const known = group.targetAssignment.get(memberId);
    if (known === undefined || !isSameTarget(known, target)) records.targetMember(memberId, target);
  }
  records.target(groupEpoch, nowMs);
  const { groupId } = group;
  shard.env.logger.info({ groupId, groupEpoch, members: specs.size }, 'new target assignment');
  return { assignmentEpoch: groupEpoch, target: assignment.get(after.memberId) ?? NO_PARTITIONS };
}

/** The member under the same instance id whose place another one takes; null where there is none. */
function replacedBy(group: ConsumerGroup, member: ConsumerMember): string | null {
  const known = group.staticMembers.get(member.instanceId ?? '') ?? null;
  return member.instanceId === null || known === member.memberId ? null : known;
}

function isOldEnough(shard: GroupShard, group: ConsumerGroup, nowMs: number): boolean {
  if (group.assignmentTimestampMs === 0) return true;
  return nowMs >= group.assignmentTimestampMs + settingsOf(shard, group.groupId).assignmentIntervalMs;
}

function choose(shard: GroupShard, group: ConsumerGroup, before: ConsumerMember, after: ConsumerMember): Assignor {
  const configured = configuredAssignors(shard.config.get('group.consumer.assignors'));
  const preferred = group.preferredAssignor(before, after);
  return configured.find(({ name }) => name === preferred) ?? configured[0];
}

/** Ids of the topics that the member names or its regular expression matches, where they exist. */
export function subscribedTopicIds(shard: GroupShard, group: ConsumerGroup, member: ConsumerMember): Set<string> {
  const image = shard.env.image();
  const ids = new Set<string>();
  const add = (name: string) => {
    const id = image.topic(name)?.id;
    if (id !== undefined) ids.add(id);
  };
  for (const name of member.subscribedTopicNames) add(name);
  const regex = regexOf(member);
  if (regex !== null) for (const name of group.resolvedRegexes.get(regex)?.topics ?? []) add(name);
  return ids;
}
