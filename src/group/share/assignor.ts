/**
 * The assignor of share groups ('simple' in Kafka 4.3.1): every partition gets the same number of members, every member about as
 * many partitions as any other, and whoever has a partition keeps it where that is even.
 */
import type { TopicPartitions } from './topic-partitions.ts';

export const SIMPLE_ASSIGNOR = 'simple';

/** What the assignor is told of a member. */
export interface MemberSpec {
  readonly memberId: string;
  readonly subscribedTopicIds: ReadonlySet<string>;
  /** What it is to have so far. */
  readonly assigned: TopicPartitions;
}

/**
 * What each member is to have, by member id. `assignable`: the partitions that may be given away. Where all members subscribe to the
 * same topics, all partitions are spread over them together; else each topic's are spread over those that subscribe to it.
 */
export function assign(
  members: readonly MemberSpec[],
  assignable: TopicPartitions,
  isHomogeneous: boolean,
): Map<string, TopicPartitions> {
  const assignments = members.map(() => new Map<string, Set<number>>());
  const topicIds = new Set(members.flatMap((m) => [...m.subscribedTopicIds]));
  const pools = isHomogeneous ? [[...topicIds]] : [...topicIds].map((topicId) => [topicId]);
  for (const pool of pools) {
    const partitions = pool.flatMap((topicId) =>
      [...(assignable.get(topicId) ?? [])].map((p) => ({ topicId, partition: p })),
    );
    const takers = members.map((_, i) => i).filter((i) => pool.some((t) => members[i].subscribedTopicIds.has(t)));
    spread(partitions, takers, members, assignments);
  }
  return new Map(members.map(({ memberId }, i) => [memberId, assignments[i]]));
}

interface Slot {
  readonly topicId: string;
  readonly partition: number;
}

/** One pool of partitions and those who take from it; by their place among the members. */
function spread(
  partitions: readonly Slot[],
  takers: readonly number[],
  members: readonly MemberSpec[],
  assignments: readonly Map<string, Set<number>>[],
): void {
  if (partitions.length === 0 || takers.length === 0) return;
  const sharing = Math.ceil(takers.length / partitions.length);
  const wanted = evenShares(sharing * partitions.length, takers);
  const held = new Map(takers.map((i) => [i, new Set<Slot>()]));
  const holders = new Map(partitions.map((slot) => [slot, new Set<number>()]));
  const give = (slot: Slot, to: number) => {
    held.get(to)?.add(slot);
    holders.get(slot)?.add(to);
  };
  const take = (slot: Slot, from: number) => {
    held.get(from)?.delete(slot);
    holders.get(slot)?.delete(from);
  };
  const slotAt = index(partitions);
  for (const i of takers) {
    for (const [topicId, kept] of members[i].assigned) {
      for (const partition of kept) {
        const slot = slotAt(topicId, partition);
        if (slot !== undefined && members[i].subscribedTopicIds.has(topicId)) give(slot, i);
      }
    }
  }
  for (const [i, slots] of held) {
    for (const slot of [...slots].slice(0, Math.max(0, slots.size - wanted.get(i)!))) take(slot, i);
  }
  for (const [slot, by] of holders) {
    for (const i of [...by].slice(0, Math.max(0, by.size - sharing))) take(slot, i);
  }
  fill(partitions, sharing, holders, (i) => held.get(i)!.size < wanted.get(i)!, takers, give);
  for (const [i, slots] of held) for (const slot of slots) add(assignments[i], slot);
}

function index(slots: readonly Slot[]): (topicId: string, partition: number) => Slot | undefined {
  const byTopic = new Map<string, Map<number, Slot>>();
  for (const slot of slots) {
    const ofTopic = byTopic.get(slot.topicId) ?? new Map();
    byTopic.set(slot.topicId, ofTopic.set(slot.partition, slot));
  }
  return (topicId, partition) => byTopic.get(topicId)?.get(partition);
}

/** How much of `total` each gets: the shares differ by one at most. */
function evenShares(total: number, takers: readonly number[]): Map<number, number> {
  const share = total / takers.length;
  return new Map(takers.map((i, n) => [i, Math.ceil(share * (n + 1)) - Math.ceil(share * n)]));
}

/** Gives what partitions lack to those who lack partitions, in turns. */
function fill(
  partitions: readonly Slot[],
  sharing: number,
  holders: ReadonlyMap<Slot, ReadonlySet<number>>,
  lacks: (taker: number) => boolean,
  takers: readonly number[],
  give: (slot: Slot, to: number) => void,
): void {
  const queue = takers.filter(lacks);
  let next = 0;
  for (const slot of partitions) {
    const by = holders.get(slot)!;
    for (let passed = 0; by.size < sharing && passed < queue.length; ) {
      next %= queue.length;
      const taker = queue[next];
      if (by.has(taker)) {
        passed++;
        next++;
        continue;
      }
      give(slot, taker);
      if (lacks(taker)) next++;
      else queue.splice(next, 1);
      passed = 0;
    }
    if (queue.length === 0) return;
  }
}

function add(assignment: Map<string, Set<number>>, { topicId, partition }: Slot): void {
  const partitions = assignment.get(topicId) ?? new Set();
  assignment.set(topicId, partitions.add(partition));
}
