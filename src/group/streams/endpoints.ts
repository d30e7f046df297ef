/** Where the members of a group answer queries (application.server), and which partitions each has: interactive queries. */
import type { StreamsGroupHeartbeatResponse } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { MetadataImage } from '../../controller/image.ts';
import type { StreamsGroup } from './streams-group.ts';
import type { StreamsMember } from './streams-member.ts';
import { type Tasks, toTaskIds } from './tasks.ts';
import { inputTopics } from './topology.ts';

type EndpointToPartitions = NonNullable<
  InputOf<typeof StreamsGroupHeartbeatResponse>['partitionsByUserEndpoint']
>[number];
type TopicPartitions = NonNullable<EndpointToPartitions['activePartitions']>[number];

/** Of all members that have an endpoint, with `updated` as it is about to be. */
export function endpointsOf(group: StreamsGroup, updated: StreamsMember, image: MetadataImage): EndpointToPartitions[] {
  const others = [...group.members.values()].filter(({ memberId }) => memberId !== updated.memberId);
  return [...others, updated].flatMap(({ metadata, assigned }) => {
    const { userEndpoint } = metadata;
    if (userEndpoint === null) return [];
    const active = new Map([...assigned.active].map(([id, partitions]) => [id, new Set(partitions.keys())]));
    return {
      userEndpoint,
      activePartitions: partitionsOf(group, active, image),
      standbyPartitions: partitionsOf(group, assigned.standby, image),
    };
  });
}

function partitionsOf({ configured }: StreamsGroup, tasks: Tasks, image: MetadataImage): TopicPartitions[] {
  return toTaskIds(tasks).flatMap(({ subtopologyId, partitions }) => {
    const subtopology = configured?.subtopologies?.get(subtopologyId);
    const topics = subtopology === undefined ? [] : new Set(inputTopics(subtopology));
    return [...topics].flatMap((topic) => {
      const count = image.topic(topic)?.partitions.length;
      // a narrower topic of the subtopology has the first of the tasks' partitions only
      return count === undefined ? [] : { topic, partitions: partitions.slice(0, count) };
    });
  });
}
