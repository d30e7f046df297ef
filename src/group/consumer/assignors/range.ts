import type { Assignor, GroupAssignment, GroupSpec, MemberSpec } from './assignor.ts';

/** How far a topic has been shared out. */
interface Share {
  readonly partitionCount: number;
  /** What each of its subscribers gets at least. */
  readonly quota: number;
  /** So many of them get one more. */
  extra: number;
  /** The first partition that nobody has yet. */
  next: number;
}

/**
 * The range assignor of KIP-848: each topic's partitions in a row, to its subscribers in their order, so that topics with
 * the same subscribers and as many partitions are shared out alike. Racks do not count (Kafka 4.3).
 */
export const rangeAssignor: Assignor = { name: 'range', assign };

function assign({ members, partitionCount }: GroupSpec): GroupAssignment {
  const subscribers = new Map<string, number>();
  for (const { subscribedTopicIds } of members.values())
    for (const topicId of subscribedTopicIds) subscribers.set(topicId, (subscribers.get(topicId) ?? 0) + 1);
  const shares = new Map<string, Share>();
  for (const [topicId, count] of subscribers) {
    const total = partitionCount(topicId);
    shares.set(topicId, { partitionCount: total, quota: Math.floor(total / count), extra: total % count, next: 0 });
  }
  const targets = new Map<string, Map<string, Set<number>>>();
  for (const [memberId, { subscribedTopicIds }] of [...members].sort(byName)) {
    const target = new Map<string, Set<number>>();
    for (const topicId of subscribedTopicIds) {
      const range = take(shares.get(topicId) as Share);
      if (range.size > 0) target.set(topicId, range);
    }
    targets.set(memberId, target);
  }
  return targets;
}

function take(share: Share): Set<number> {
  const size = share.quota + Number(share.extra > 0);
  if (share.extra > 0) share.extra--;
  const start = share.next;
  share.next = Math.min(start + size, share.partitionCount);
  return new Set(Array.from({ length: share.next - start }, (_, i) => start + i));
}

/** Static members first, by instance id, so that they keep their place when they come back as another member. */
function byName([idA, a]: readonly [string, MemberSpec], [idB, b]: readonly [string, MemberSpec]): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId);
  if (a.instanceId !== null) return -1;
  if (b.instanceId !== null) return 1;
  return compare(idA, idB);
}

/** By UTF-16 code units, as Java compares strings. */
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
