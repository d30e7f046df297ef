import type { Int64 } from '../../../protocol/int64.ts';
import type { GroupShard } from '../group-shard.ts';
import { metadataHash } from '../metadata-hash.ts';
import { type ConfiguredTopology, configureTopology } from './internal-topics.ts';
import type { StreamsGroup } from './streams-group.ts';
import { requiredTopics, type Topology } from './topology.ts';

export interface TopicsAndTopology {
  readonly metadataHash: Int64;
  /** Whether the topics differ from those of the group's epoch. */
  readonly hasChanged: boolean;
  readonly configured: ConfiguredTopology;
}

/**
 * What the topology comes to with the topics that are there. Looked at again when one of them has changed; the group
 * remembers the outcome. Throws STREAMS_INVALID_TOPOLOGY.
 */
export function lookAtTopics(shard: GroupShard, group: StreamsGroup, topology: Topology): TopicsAndTopology {
  const image = shard.env.image();
  const isSeen = [...group.seenTopics].every(([name, seen]) => image.topic(name) === seen);
  if (group.configured !== null && isSeen) {
    return { metadataHash: group.metadataHash, hasChanged: false, configured: group.configured };
  }
  const names = requiredTopics(topology);
  const hash = metadataHash(image, names);
  const hasChanged = hash !== group.metadataHash;
  if (group.configured === null || hasChanged) {
    group.configured = configureTopology(topology, image);
    const { problem } = group.configured;
    const fields = { groupId: group.groupId, topologyEpoch: topology.epoch, problem: problem?.message };
    shard.env.logger.info(
      fields,
      problem === null ? 'the topics fit the topology' : 'the topics do not fit the topology',
    );
  }
  group.seenTopics = new Map([...names].map((name) => [name, image.topic(name)]));
  return { metadataHash: hash, hasChanged, configured: group.configured };
}
