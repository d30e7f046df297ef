/** The target of a group's epoch: which member is to have which tasks. */
import { type AssignedMember, assignSticky } from './assignors/sticky.ts';
import type { ConfiguredTopology } from './internal-topics.ts';
import { memberTargetRecord, type StreamsRecord } from './records.ts';
import type { StreamsGroup } from './streams-group.ts';
import type { StreamsMember } from './streams-member.ts';
import { NO_TASKS, sameTaskSets, type TaskSets } from './tasks.ts';

/** The configuration that assignors read, as the log keeps it. */
export const NUM_STANDBY_REPLICAS = 'num.standby.replicas';
export type AssignmentConfigs = ReadonlyMap<string, string>;

export interface NewTarget {
  readonly records: StreamsRecord[];
  /** By member id. */
  readonly tasks: ReadonlyMap<string, TaskSets>;
}

/** Assigns the tasks to the group's members, with `updated` as it is about to be; nothing while the topics are not there. */
export function newTarget(
  group: StreamsGroup,
  epoch: number,
  updated: StreamsMember | null,
  topology: ConfiguredTopology,
  configs: AssignmentConfigs,
  nowMs: number,
): NewTarget {
  const members = new Map<string, AssignedMember>();
  const add = ({ memberId, metadata }: StreamsMember) =>
    members.set(memberId, { processId: metadata.processId, previous: group.targets.get(memberId) ?? NO_TASKS });
  for (const member of group.members.values()) add(member);
  if (updated !== null) add(updated);
  const tasks = assigned(members, topology, configs);
  const records: StreamsRecord[] = [];
  for (const [memberId, taskSets] of tasks) {
    const before = group.targets.get(memberId);
    if (before !== undefined && sameTaskSets(before, taskSets)) continue;
    records.push(memberTargetRecord(group.groupId, memberId, taskSets));
  }
  const value = { assignmentEpoch: epoch, assignmentTimestamp: nowMs };
  records.push({ type: 'streams', part: 'target', groupId: group.groupId, value });
  return { records, tasks };
}

function assigned(
  members: ReadonlyMap<string, AssignedMember>,
  { problem, subtopologies }: ConfiguredTopology,
  configs: AssignmentConfigs,
): Map<string, TaskSets> {
  if (problem !== null || subtopologies === null) return new Map([...members.keys()].map((id) => [id, NO_TASKS]));
  const shapes = [...subtopologies].map(([id, { numberOfTasks, stateChangelogTopics }]) => {
    return [id, { numberOfTasks, isStateful: stateChangelogTopics.length > 0 }] as const;
  });
  const numStandbyReplicas = Number(configs.get(NUM_STANDBY_REPLICAS) ?? 0);
  return assignSticky({ members, subtopologies: new Map(shapes), numStandbyReplicas });
}
