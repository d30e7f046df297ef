import type { StreamsGroupTopologyValue } from '../../../protocol/groups/streams-group-topology.ts';
import type { StreamsGroupHeartbeatRequest } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { MessageOf } from '../../../protocol/schema.ts';

/** What an application does with its topics, as the log keeps it. */
export type Topology = MessageOf<typeof StreamsGroupTopologyValue>;
export type Subtopology = Topology['subtopologies'][number];
/** A repartition or changelog topic; 0 partitions or replicas: not said. */
export type TopicInfo = Subtopology['repartitionSourceTopics'][number];

export type RequestedTopology = NonNullable<MessageOf<typeof StreamsGroupHeartbeatRequest>['topology']>;

/** Throws where the epoch is negative or two subtopologies have one id: Kafka, too, answers that with UNKNOWN_SERVER_ERROR. */
export function topologyOf({ epoch, subtopologies }: RequestedTopology): Topology {
  if (epoch < 0) throw new Error('the epoch of the topology is negative');
  const ids = new Set(subtopologies.map((s) => s.subtopologyId));
  if (ids.size !== subtopologies.length) throw new Error('a subtopology id stands twice in the topology');
  return {
    epoch,
    subtopologies: subtopologies.map((s) => ({
      subtopologyId: s.subtopologyId,
      sourceTopics: [...s.sourceTopics],
      sourceTopicRegex: [...s.sourceTopicRegex],
      stateChangelogTopics: s.stateChangelogTopics.map(topicInfo),
      repartitionSinkTopics: [...s.repartitionSinkTopics],
      repartitionSourceTopics: s.repartitionSourceTopics.map(topicInfo),
      copartitionGroups: s.copartitionGroups.map((group) => ({
        sourceTopics: [...group.sourceTopics],
        sourceTopicRegex: [...group.sourceTopicRegex],
        repartitionSourceTopics: [...group.repartitionSourceTopics],
      })),
    })),
  };
}

const topicInfo = ({ name, partitions, replicationFactor, topicConfigs }: TopicInfo): TopicInfo => ({
  name,
  partitions,
  replicationFactor,
  topicConfigs: topicConfigs.map(({ key, value }) => ({ key, value })),
});

/** Whether both say the same; the order of the subtopologies does not matter. */
export const sameTopology = (a: Topology, b: Topology): boolean => canonical(a) === canonical(b);

const canonical = ({ epoch, subtopologies }: Topology): string =>
  JSON.stringify([epoch, [...subtopologies].sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1))]);

/** What a subtopology reads: topics of others and repartition topics. */
export const inputTopics = ({ sourceTopics, repartitionSourceTopics }: Subtopology): string[] => [
  ...sourceTopics,
  ...repartitionSourceTopics.map(({ name }) => name),
];

/** The topics without which the topology cannot run. */
export function requiredTopics({ subtopologies }: Topology): Set<string> {
  const changelogs = (s: Subtopology) => s.stateChangelogTopics.map(({ name }) => name);
  return new Set(subtopologies.flatMap((s) => [...inputTopics(s), ...changelogs(s)]));
}

/** The subtopology that reads each topic. */
export function readers({ subtopologies }: Topology): ReadonlyMap<string, string> {
  return new Map(subtopologies.flatMap((s) => inputTopics(s).map((topic) => [topic, s.subtopologyId] as const)));
}
