/** Sets of partitions by topic id, as they are targeted and assigned. All of them are immutable; no topic is there without partitions. */
import type { MetadataImage } from '../../controller/image.ts';

/** Partitions by topic id. */
export type Partitions = ReadonlyMap<string, ReadonlySet<number>>;

/** Partitions by topic id, each with the epoch in which the member got it. */
export type OwnedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** As requests, responses and records list them. */
export interface TopicPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export const NO_PARTITIONS: Partitions = new Map();
export const NONE_OWNED: OwnedPartitions = new Map();

export function partitionsOf(topics: readonly TopicPartitions[]): Partitions {
  return new Map(topics.map(({ topicId, partitions }) => [topicId, new Set(partitions)]));
}

/** The same partitions, all of them since one epoch. */
export function ownedSince(partitions: Partitions, epoch: number): OwnedPartitions {
  return new Map([...partitions].map(([id, indexes]) => [id, new Map([...indexes].map((index) => [index, epoch]))]));
}

export function withoutEpochs(owned: OwnedPartitions): Partitions {
  return new Map([...owned].map(([id, epochs]) => [id, new Set(epochs.keys())]));
}

export function listed(partitions: Partitions | OwnedPartitions): { topicId: string; partitions: number[] }[] {
  return [...partitions].map(([topicId, indexes]) => ({ topicId, partitions: [...indexes.keys()] }));
}

/** Those whose topics exist, with their names. */
export function listedByName(
  image: MetadataImage,
  partitions: Partitions | OwnedPartitions,
): { topicId: string; topicName: string; partitions: number[] }[] {
  const topics: { topicId: string; topicName: string; partitions: number[] }[] = [];
  for (const one of listed(partitions)) {
    const topicName = image.topicById(one.topicId)?.name;
    if (topicName !== undefined) topics.push({ ...one, topicName });
  }
  return topics;
}

/** Both together; where both have a partition, `b`'s epoch counts. */
export function union(a: OwnedPartitions, b: OwnedPartitions): OwnedPartitions {
  if (a.size === 0) return b;
  const all = new Map(a);
  for (const [id, epochs] of b) all.set(id, new Map([...(a.get(id) ?? []), ...epochs]));
  return all;
}

export function isSameTarget(a: Partitions, b: Partitions): boolean {
  return haveSameTopics(a, b, (x, y) => x.size === y.size && [...x].every((index) => y.has(index)));
}

/** Whether partitions and epochs are the same. */
export function isSameOwned(a: OwnedPartitions, b: OwnedPartitions): boolean {
  if (a === b) return true;
  return haveSameTopics(a, b, (x, y) => x.size === y.size && [...x].every(([index, epoch]) => y.get(index) === epoch));
}

function haveSameTopics<V>(
  a: ReadonlyMap<string, V>,
  b: ReadonlyMap<string, V>,
  isSame: (a: V, b: V) => boolean,
): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !isSame(value, other)) return false;
  }
  return true;
}
