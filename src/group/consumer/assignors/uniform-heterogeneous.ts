import { type GroupAssignment, type GroupSpec, TargetBuilder } from './assignor.ts';

/** Each round balances all topics once; where that is not enough, the balance is good enough. */
const ROUNDS_MAX = 16;

/** A topic with whoever subscribes to it. */
interface Topic {
  readonly topicId: string;
  readonly partitionCount: number;
  readonly subscribers: readonly string[];
  /** Member ids by partition; null: nobody. */
  readonly owners: (string | null)[];
}

/** Where members subscribe to different topics: as even as what they can have allows. */
export function assignHeterogeneous(group: GroupSpec): GroupAssignment {
  const topics = topicsOf(group);
  if (topics.length === 0) return new Map();
  const balance = new Balance(group, topics);
  for (const topic of topics) balance.assignRest(topic);
  const shared = topics.filter((topic) => topic.subscribers.length > 1);
  // until a whole round changes nothing
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const moved = shared.map((topic) => balance.level(topic));
    if (moved.every((count) => count === 0)) break;
  }
  return balance.builder.targets;
}

/** Those with most partitions for each subscriber first: they leave least choice. */
function topicsOf({ members, partitionCount }: GroupSpec): Topic[] {
  const subscribers = new Map<string, string[]>();
  for (const [memberId, { subscribedTopicIds }] of members) {
    for (const topicId of subscribedTopicIds) {
      const ofTopic = subscribers.get(topicId);
      if (ofTopic === undefined) subscribers.set(topicId, [memberId]);
      else ofTopic.push(memberId);
    }
  }
  const topics = [...subscribers].map(([topicId, memberIds]): Topic => {
    const count = partitionCount(topicId);
    return { topicId, partitionCount: count, subscribers: memberIds, owners: new Array(count).fill(null) };
  });
  const load = ({ partitionCount, subscribers }: Topic) => partitionCount / subscribers.length;
  return topics.sort(
    (a, b) => load(b) - load(a) || a.subscribers.length - b.subscribers.length || (a.topicId < b.topicId ? -1 : 1),
  );
}

/** The targets and how many partitions each member has. */
class Balance {
  readonly builder: TargetBuilder;
  private readonly sizes = new Map<string, number>();

  constructor({ members }: GroupSpec, topics: readonly Topic[]) {
    this.builder = new TargetBuilder(members.keys());
    const byId = new Map(topics.map((topic) => [topic.topicId, topic]));
    for (const [memberId, { subscribedTopicIds, target }] of members) {
      this.sizes.set(memberId, 0);
      for (const [topicId, partitions] of target) {
        if (!subscribedTopicIds.has(topicId)) continue;
        for (const partition of partitions) this.give(byId.get(topicId) as Topic, partition, memberId);
      }
    }
  }

  /** Gives what nobody has to whoever has least. */
  assignRest(topic: Topic): void {
    for (const [partition, owner] of topic.owners.entries()) {
      if (owner === null) this.give(topic, partition, this.leastLoaded(topic));
    }
  }

  /** Moves partitions of the topic from those who have most to those who have least; says how many. */
  level(topic: Topic): number {
    const owned = new Map<string, number[]>();
    for (const [partition, owner] of topic.owners.entries()) {
      const partitions = owned.get(owner as string);
      if (partitions === undefined) owned.set(owner as string, [partition]);
      else partitions.push(partition);
    }
    let moved = 0;
    while (true) {
      const from = this.mostLoadedOf(owned);
      const to = this.leastLoaded(topic);
      if (from === null || this.sizeOf(from) - this.sizeOf(to) <= 1) return moved;
      const partition = (owned.get(from) as number[]).pop() as number;
      this.builder.remove(from, topic.topicId, partition);
      this.sizes.set(from, this.sizeOf(from) - 1);
      this.give(topic, partition, to);
      moved++;
    }
  }

  private give(topic: Topic, partition: number, memberId: string): void {
    topic.owners[partition] = memberId;
    this.builder.add(memberId, topic.topicId, partition);
    this.sizes.set(memberId, this.sizeOf(memberId) + 1);
  }

  private sizeOf(memberId: string): number {
    return this.sizes.get(memberId) ?? 0;
  }

  private leastLoaded({ subscribers }: Topic): string {
    let least = subscribers[0];
    for (const memberId of subscribers) if (this.sizeOf(memberId) < this.sizeOf(least)) least = memberId;
    return least;
  }

  private mostLoadedOf(owned: ReadonlyMap<string, readonly number[]>): string | null {
    let most: string | null = null;
    for (const [memberId, partitions] of owned) {
      if (partitions.length > 0 && (most === null || this.sizeOf(memberId) > this.sizeOf(most))) most = memberId;
    }
    return most;
  }
}
