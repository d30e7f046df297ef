import { type GroupAssignment, type GroupSpec, type MemberSpec, TargetBuilder } from './assignor.ts';

interface TopicPartition {
  readonly topicId: string;
  readonly partition: number;
}

/** Where all members subscribe to the same topics: everybody's share is the same, but for one partition. */
export function assignHomogeneous({ members, partitionCount }: GroupSpec): GroupAssignment {
  const [first] = members.values();
  const topicIds = first?.subscribedTopicIds ?? new Set();
  if (topicIds.size === 0) return new Map();
  let total = 0;
  for (const topicId of topicIds) total += partitionCount(topicId);
  const quota = Math.floor(total / members.size);
  /** So many members get one more. */
  let extra = total % members.size;
  const builder = new TargetBuilder(members.keys());
  /** How many partitions a member could get still. */
  const unfilled = new Map<string, number>();
  let left = members.size;
  for (const [memberId, member] of members) {
    const kept = keep(builder, memberId, member, topicIds, quota + Number(extra > 0));
    // whoever has one more already keeps it; those who have not get one only where too few are left that could
    const hasExtra = extra > 0 && (kept > quota || left <= extra);
    if (hasExtra) extra--;
    const room = quota + Number(hasExtra) - kept;
    if (room > 0) unfilled.set(memberId, room);
    left--;
  }
  const unassigned = unassignedPartitions(builder, topicIds, partitionCount);
  for (const [memberId, room] of unfilled) {
    for (let i = 0; i < room; i++) {
      const next = unassigned.next();
      if (next.done) return builder.targets;
      builder.add(memberId, next.value.topicId, next.value.partition);
    }
  }
  return builder.targets;
}

/** Leaves a member what it has, up to `limit`; says how many partitions that is. */
function keep(
  builder: TargetBuilder,
  memberId: string,
  { target }: MemberSpec,
  topicIds: ReadonlySet<string>,
  limit: number,
): number {
  let kept = 0;
  for (const [topicId, partitions] of target) {
    if (!topicIds.has(topicId)) continue;
    for (const partition of partitions) {
      if (kept === limit) return kept;
      builder.add(memberId, topicId, partition);
      kept++;
    }
  }
  return kept;
}

function* unassignedPartitions(
  builder: TargetBuilder,
  topicIds: ReadonlySet<string>,
  partitionCount: (topicId: string) => number,
): Generator<TopicPartition, void> {
  const assigned = new Map<string, Set<number>>();
  for (const target of builder.targets.values()) {
    for (const [topicId, partitions] of target) {
      const all = assigned.get(topicId) ?? new Set();
      for (const partition of partitions) all.add(partition);
      assigned.set(topicId, all);
    }
  }
  for (const topicId of topicIds) {
    const all = assigned.get(topicId);
    for (let partition = 0; partition < partitionCount(topicId); partition++) {
      if (!all?.has(partition)) yield { topicId, partition };
    }
  }
}
