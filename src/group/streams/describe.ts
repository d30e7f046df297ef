import type { StreamsGroupDescribeResponse } from '../../../protocol/messages/89-streams-group-describe.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { GroupShard } from '../group-shard.ts';
import { requireStreamsGroup } from './leave.ts';
import type { StreamsGroup } from './streams-group.ts';
import type { StreamsMember } from './streams-member.ts';
import { NO_TASKS, type TaskSets, toTaskIds } from './tasks.ts';
import type { Subtopology, TopicInfo } from './topology.ts';

export type DescribedStreamsGroup = NonNullable<InputOf<typeof StreamsGroupDescribeResponse>['groups']>[number];
type Described = NonNullable<DescribedStreamsGroup['members']>[number];
type DescribedTopology = NonNullable<DescribedStreamsGroup['topology']>;

/** Throws GROUP_ID_NOT_FOUND. */
export function describeStreamsGroup(shard: GroupShard, groupId: string): DescribedStreamsGroup {
  const group = requireStreamsGroup(shard, groupId);
  return {
    groupId,
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    topology: describeTopology(group),
    members: [...group.members.values()].map((m) => describeMember(m, group.targets.get(m.memberId) ?? NO_TASKS)),
  };
}

/** With the partitions of the internal topics where these are known. */
function describeTopology({ groupId, topology, configured }: StreamsGroup): DescribedTopology {
  if (topology === null) throw new Error(`streams group ${groupId} has no topology`);
  const isReady = configured?.problem === null && configured.subtopologies !== null;
  const subtopologies = isReady ? [...(configured.subtopologies?.values() ?? [])] : [...topology.subtopologies];
  const sorted = subtopologies.sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1));
  return { epoch: topology.epoch, subtopologies: sorted.map(describeSubtopology) };
}

const describeSubtopology = (s: Subtopology) => ({
  subtopologyId: s.subtopologyId,
  sourceTopics: [...s.sourceTopics].sort(),
  repartitionSinkTopics: [...s.repartitionSinkTopics].sort(),
  stateChangelogTopics: byName(s.stateChangelogTopics),
  repartitionSourceTopics: byName(s.repartitionSourceTopics),
});

const byName = (topics: readonly TopicInfo[]): TopicInfo[] => [...topics].sort((a, b) => (a.name < b.name ? -1 : 1));

function describeMember({ memberId, memberEpoch, metadata, assigned }: StreamsMember, target: TaskSets): Described {
  return {
    memberId,
    memberEpoch,
    instanceId: metadata.instanceId,
    rackId: metadata.rackId,
    clientId: metadata.clientId,
    clientHost: metadata.clientHost,
    topologyEpoch: metadata.topologyEpoch,
    processId: metadata.processId,
    userEndpoint: metadata.userEndpoint,
    clientTags: metadata.clientTags,
    assignment: {
      activeTasks: toTaskIds(assigned.active),
      standbyTasks: toTaskIds(assigned.standby),
      warmupTasks: toTaskIds(assigned.warmup),
    },
    targetAssignment: {
      activeTasks: toTaskIds(target.active),
      standbyTasks: toTaskIds(target.standby),
      warmupTasks: toTaskIds(target.warmup),
    },
  };
}
