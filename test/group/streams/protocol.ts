/** Heartbeats of streams groups as members send them. */
import type {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { streamsGroupHeartbeat } from '../../../src/api/88-streams-group-heartbeat.ts';
import { streamsGroupDescribe } from '../../../src/api/89-streams-group-describe.ts';
import type { StreamsGroup } from '../../../src/group/streams/streams-group.ts';
import { liveShard } from '../durable-state.ts';
import { GroupBroker, type GroupBrokerOptions, topic } from '../group-broker.ts';

export const GROUP = 'app';
export type Heartbeat = Partial<InputOf<typeof StreamsGroupHeartbeatRequest>>;
export type Answer = MessageOf<typeof StreamsGroupHeartbeatResponse>;

/** A broker whose groups assign at once; its topics: `in` with four partitions, `log` with as many. */
export function streamsBroker(options: GroupBrokerOptions = {}): GroupBroker {
  const config = {
    'group.streams.initial.rebalance.delay.ms': '0',
    'group.streams.assignment.interval.ms': '0',
    ...options.config,
  };
  return new GroupBroker({ partitionCount: 1, topics: [topic('in', 4), topic('log', 4)], ...options, config });
}

export const STATELESS = { epoch: 0, subtopologies: [{ subtopologyId: '0', sourceTopics: ['in'] }] };
export const STATEFUL = {
  epoch: 0,
  subtopologies: [{ subtopologyId: '0', sourceTopics: ['in'], stateChangelogTopics: [{ name: 'log' }] }],
};

export function joining(processId: string, topology: Heartbeat['topology'] = STATELESS): Heartbeat {
  return { memberEpoch: 0, rebalanceTimeoutMs: 20_000, processId, clientTags: [], topology, ...owning([]) };
}

export function owning(active: readonly number[], standby: readonly number[] = []): Heartbeat {
  const tasks = (partitions: readonly number[]) =>
    partitions.length === 0 ? [] : [{ subtopologyId: '0', partitions: [...partitions] }];
  return { activeTasks: tasks(active), standbyTasks: tasks(standby), warmupTasks: [] };
}

export function beat(broker: GroupBroker, memberId: string, fields: Heartbeat): Promise<Answer> {
  const request = { groupId: GROUP, memberId, ...fields };
  return broker.call(streamsGroupHeartbeat, 0, request) as Promise<Answer>;
}

/** Partitions of the first subtopology among the tasks told; null where none are. */
export const partitionsOf = (tasks: Answer['activeTasks']): number[] | null =>
  tasks === null ? null : tasks.flatMap(({ partitions }) => partitions);

export async function describeGroup(broker: GroupBroker) {
  const { groups } = await broker.call(streamsGroupDescribe, 0, { groupIds: [GROUP] });
  return groups[0];
}

export function liveGroup(broker: GroupBroker): StreamsGroup {
  const group = liveShard(broker, 0).groups.get(GROUP);
  if (group?.type !== 'streams') throw new Error('no streams group');
  return group;
}
