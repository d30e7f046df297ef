/**
 * How many partitions the internal topics of a topology are to have: a repartition topic as many as the widest input of
 * whoever writes it, unless the application fixes it; those that are joined with other topics as many as these; a changelog
 * topic one for each task.
 */
import { KafkaError } from '../../../protocol/errors.ts';
import { TopicProblem } from './status.ts';
import { inputTopics, type Subtopology, type Topology } from './topology.ts';

/** Of a topic that is there; undefined where there is none. */
export type PartitionsOf = (topic: string) => number | undefined;

/** The partitions of all internal topics, by name. Throws STREAMS_INVALID_TOPOLOGY or TopicProblem. */
export function partitionCounts(topology: Topology, partitionsOf: PartitionsOf): Map<string, number> {
  const decided = repartitionTopics(topology, partitionsOf);
  const present = (topic: string): number => {
    const count = partitionsOf(topic) ?? decided.get(topic);
    if (count === undefined) throw new Error(`the number of partitions of ${topic} is not known`);
    return count;
  };
  for (const subtopology of topology.subtopologies) {
    for (const group of copartitionGroups(subtopology)) copartition(topology, group, present, decided);
  }
  for (const subtopology of topology.subtopologies) {
    const inputs = inputTopics(subtopology).map(present);
    if (inputs.length === 0) {
      throw invalid(`No source topics found for subtopology ${subtopology.subtopologyId}`);
    }
    for (const { name } of subtopology.stateChangelogTopics) decided.set(name, Math.max(...inputs));
  }
  return decided;
}

const invalid = (message: string): KafkaError => new KafkaError('STREAMS_INVALID_TOPOLOGY', message);

function repartitionTopics({ subtopologies }: Topology, partitionsOf: PartitionsOf): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name, partitions } of subtopologies.flatMap((s) => s.repartitionSourceTopics)) {
    if (partitions !== 0) counts.set(name, partitions);
  }
  // a repartition topic may depend on others, so that it takes as many rounds as the longest way through the topology
  let open = withOpenSinks(subtopologies, counts);
  while (open.length > 0) {
    const before = counts.size;
    for (const subtopology of open) {
      const widest = widestInput(subtopology, counts, partitionsOf);
      if (widest === null) continue;
      for (const sink of subtopology.repartitionSinkTopics) if (!counts.has(sink)) counts.set(sink, widest);
    }
    if (counts.size === before) {
      throw invalid(
        'Failed to compute number of partitions for all repartition topics. There may be loops in the topology that cannot be resolved.',
      );
    }
    open = withOpenSinks(subtopologies, counts);
  }
  if (subtopologies.some((s) => s.repartitionSourceTopics.some(({ name }) => !counts.has(name)))) {
    throw invalid(
      'Failed to compute number of partitions for all repartition topics, because a repartition source topic is never used as a sink topic.',
    );
  }
  return counts;
}

const withOpenSinks = (subtopologies: readonly Subtopology[], counts: ReadonlyMap<string, number>): Subtopology[] =>
  subtopologies.filter((s) => s.repartitionSinkTopics.some((sink) => !counts.has(sink)));

/** The partitions of the widest input that is known so far; null where none is. */
function widestInput(
  { sourceTopics, repartitionSourceTopics }: Subtopology,
  counts: ReadonlyMap<string, number>,
  partitionsOf: PartitionsOf,
): number | null {
  const inputs = [...repartitionSourceTopics.map(({ name }) => counts.get(name)), ...sourceTopics.map(partitionsOf)];
  const known = inputs.filter((count) => count !== undefined);
  return known.length === 0 ? null : Math.max(...known);
}

/** The topics that are to have the same number of partitions, by name; records name them by their index. */
function copartitionGroups(s: Subtopology): Set<string>[] {
  return s.copartitionGroups.map(({ sourceTopics, repartitionSourceTopics }) => {
    const names = [
      ...sourceTopics.map((i) => s.sourceTopics[i]),
      ...repartitionSourceTopics.map((i) => s.repartitionSourceTopics[i]?.name),
    ];
    if (names.includes(undefined as never)) throw new Error('a copartition group names a topic that is not there');
    return new Set(names);
  });
}

function copartition(
  topology: Topology,
  group: ReadonlySet<string>,
  present: (topic: string) => number,
  decided: Map<string, number>,
): void {
  if (group.size === 0) return;
  const repartition = topology.subtopologies.flatMap((s) => s.repartitionSourceTopics);
  const internal = new Set(repartition.map(({ name }) => name));
  const fixed = new Set(repartition.filter(({ partitions }) => partitions !== 0).map(({ name }) => name));
  const internalCounts = counted(
    [...group].filter((topic) => internal.has(topic)),
    present,
  );
  const externalCounts = counted(
    [...group].filter((topic) => !internal.has(topic)),
    present,
  );
  const count = commonCount(internalCounts, externalCounts, fixed, present);
  for (const [topic, own] of internalCounts) {
    if (fixed.has(topic) && own !== count) {
      const message = `Number of partitions [${own}] of repartition topic [${topic}] doesn't match number of partitions [${count}] of the source topic.`;
      throw new TopicProblem('INCORRECTLY_PARTITIONED_TOPICS', message);
    }
    decided.set(topic, count);
  }
}

type Counts = ReadonlyMap<string, number>;

const counted = (topics: readonly string[], present: (topic: string) => number): Counts =>
  new Map([...topics].sort().map((topic) => [topic, present(topic)]));

/** Topics of others decide; among repartition topics those that are fixed (anywhere in the topology), else the widest. */
function commonCount(
  internal: Counts,
  external: Counts,
  fixed: ReadonlySet<string>,
  present: (topic: string) => number,
): number {
  if (external.size > 0) return same(external.values(), external);
  if (fixed.size > 0) return same([...fixed].map(present), internal);
  const widest = Math.max(...internal.values());
  if (widest > 0) return widest;
  const names = [...internal.keys()].join(', ');
  throw invalid(`All topics in the copartition group had undefined partition number: [${names}]`);
}

function same(counts: Iterable<number>, told: Counts): number {
  const different = [...new Set(counts)];
  if (different.length === 1) return different[0];
  const list = [...told].map(([topic, count]) => `${topic}=${count}`).join(', ');
  const message = `Following topics do not have the same number of partitions: [{${list}}]`;
  throw new TopicProblem('INCORRECTLY_PARTITIONED_TOPICS', message);
}
