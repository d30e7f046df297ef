import { isSameSet } from './sets.ts';

/** Partitions by topic id; a topic without partitions has no entry. */
export type TopicPartitions = ReadonlyMap<string, ReadonlySet<number>>;

export const NO_PARTITIONS: TopicPartitions = new Map();

/** As messages hold them. */
export interface ListedPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export function listed(of: TopicPartitions): { topicId: string; partitions: number[] }[] {
  return [...of].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }));
}

export function fromListed(topics: readonly ListedPartitions[]): TopicPartitions {
  return new Map(topics.filter((t) => t.partitions.length > 0).map((t) => [t.topicId, new Set(t.partitions)]));
}

export function isSamePartitions(a: TopicPartitions, b: TopicPartitions): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId);
    if (others === undefined || !isSameSet(partitions, others)) return false;
  }
  return true;
}
