/** What a topology comes to with the topics that are there: its tasks, and the internal topics that it still needs. */
import type { CreateTopicsRequest } from '../../../protocol/messages/19-create-topics.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { MetadataImage } from '../../controller/image.ts';
import { type PartitionsOf, partitionCounts } from './partition-counts.ts';
import { TopicProblem } from './status.ts';
import { inputTopics, requiredTopics, type Subtopology, type TopicInfo, type Topology } from './topology.ts';

export type CreatableTopic = MessageOf<typeof CreateTopicsRequest>['topics'][number];

/** A subtopology whose internal topics have their number of partitions. */
export interface ConfiguredSubtopology extends Subtopology {
  readonly numberOfTasks: number;
}

export interface ConfiguredTopology {
  /** By id, in the order of the ids; null where the topics do not let it be known. */
  readonly subtopologies: ReadonlyMap<string, ConfiguredSubtopology> | null;
  /** Internal topics that are to be created. */
  readonly missing: readonly CreatableTopic[];
  /** Null: tasks can be assigned. */
  readonly problem: TopicProblem | null;
}

/** Throws STREAMS_INVALID_TOPOLOGY where no topics whatever would do. */
export function configureTopology(topology: Topology, image: MetadataImage): ConfiguredTopology {
  const partitionsOf: PartitionsOf = (topic) => image.topic(topic)?.partitions.length;
  try {
    requireSourceTopics(topology, partitionsOf);
    const counts = partitionCounts(topology, partitionsOf);
    const byId = [...topology.subtopologies].sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1));
    const subtopologies = byId.map((s) => configured(s, counts, partitionsOf));
    const missing = missingTopics(topology, subtopologies, partitionsOf);
    const names = missing.map(({ name }) => name);
    const problem =
      missing.length === 0
        ? null
        : new TopicProblem('MISSING_INTERNAL_TOPICS', `Internal topics are missing: ${summary(names)}`);
    return { subtopologies: new Map(subtopologies.map((s) => [s.subtopologyId, s])), missing, problem };
  } catch (error) {
    if (error instanceof TopicProblem) return { subtopologies: null, missing: [], problem: error };
    throw error;
  }
}

function requireSourceTopics({ subtopologies }: Topology, partitionsOf: PartitionsOf): void {
  const missing = new Set(subtopologies.flatMap((s) => s.sourceTopics).filter((t) => partitionsOf(t) === undefined));
  if (missing.size === 0) return;
  throw new TopicProblem('MISSING_SOURCE_TOPICS', `Source topics ${summary([...missing].sort())} are missing.`);
}

function configured(
  s: Subtopology,
  counts: ReadonlyMap<string, number>,
  partitionsOf: PartitionsOf,
): ConfiguredSubtopology {
  const inputs = inputTopics(s).map((topic) => partitionsOf(topic) ?? counts.get(topic) ?? 0);
  const withPartitions = (topic: TopicInfo): TopicInfo => {
    const partitions = topic.partitions === 0 ? (counts.get(topic.name) ?? 0) : topic.partitions;
    if (partitions < 1) throw new Error(`internal topic ${topic.name} cannot have ${partitions} partitions`);
    return { ...topic, partitions };
  };
  return {
    ...s,
    numberOfTasks: Math.max(...inputs),
    repartitionSourceTopics: s.repartitionSourceTopics.map(withPartitions),
    stateChangelogTopics: s.stateChangelogTopics.map(withPartitions),
  };
}

/** Throws TopicProblem where one is there and differs. */
function missingTopics(
  topology: Topology,
  subtopologies: readonly ConfiguredSubtopology[],
  partitionsOf: PartitionsOf,
): CreatableTopic[] {
  const internal = subtopologies.flatMap((s) => [...s.repartitionSourceTopics, ...s.stateChangelogTopics]);
  const expected = new Map(internal.map((topic) => [topic.name, topic]));
  for (const name of requiredTopics(topology)) {
    const found = partitionsOf(name);
    const topic = expected.get(name);
    if (found === undefined || topic === undefined) continue;
    if (found !== topic.partitions) {
      const message = `Existing topic ${name} has different number of partitions: expected ${topic.partitions}, found ${found}`;
      throw new TopicProblem('INCORRECTLY_PARTITIONED_TOPICS', message);
    }
    expected.delete(name);
  }
  return [...expected.values()].map(creatable);
}

const creatable = ({ name, partitions, replicationFactor, topicConfigs }: TopicInfo): CreatableTopic => ({
  name,
  numPartitions: partitions,
  // 0: the application leaves it to the brokers
  replicationFactor: replicationFactor === 0 ? -1 : replicationFactor,
  assignments: [],
  configs: topicConfigs.map(({ key, value }) => ({ name: key, value })),
});

const SUMMARY_MAX = 3;

function summary(topics: readonly string[]): string {
  const shown = topics.slice(0, SUMMARY_MAX).join(', ');
  return topics.length > SUMMARY_MAX ? `${shown} and ${topics.length - SUMMARY_MAX} additional topics` : shown;
}
