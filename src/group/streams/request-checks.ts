/** What a heartbeat must say, and what Kafka 4.3 does not take yet. */
import { KafkaError } from '../../../protocol/errors.ts';
import type { StreamsGroupHeartbeatRequest } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { ConfiguredTopology } from './internal-topics.ts';
import type { TaskIds } from './tasks.ts';
import type { RequestedTopology } from './topology.ts';

export type HeartbeatRequest = MessageOf<typeof StreamsGroupHeartbeatRequest>;

/** Epochs with which a member says what it does. */
export const JOINING = 0;
export const LEAVING = -1;
/** A static member that means to come back; there are none yet. */
const LEAVING_FOR_NOW = -2;

/** Throws INVALID_REQUEST or STREAMS_INVALID_TOPOLOGY. */
export function checkHeartbeat(request: HeartbeatRequest): void {
  refuseUnsupported(request);
  const { memberEpoch } = request;
  requireText(request.memberId, 'MemberId');
  requireText(request.groupId, 'GroupId');
  requireText(request.rackId, 'RackId');
  if (memberEpoch === JOINING) requireJoining(request);
  else if (memberEpoch === LEAVING_FOR_NOW) require(request.instanceId !== null, "InstanceId can't be null.");
  else {
    const message = `MemberEpoch is ${memberEpoch}, but must be greater than or equal to -2.`;
    require(memberEpoch > LEAVING_FOR_NOW, message);
  }
  const roles = [request.activeTasks, request.standbyTasks, request.warmupTasks];
  const isSaid = roles.some((tasks) => tasks !== null);
  require(!isSaid || !roles.includes(null), 'If one task-type is non-null, all must be non-null.');
  const isTopologyAllowed = memberEpoch === JOINING || request.topology === null;
  require(isTopologyAllowed, 'Topology can only be provided when (re-)joining.');
}

function require(isMet: boolean, message: string): void {
  if (!isMet) throw new KafkaError('INVALID_REQUEST', message);
}

function requireText(text: string | null, what: string): void {
  require(text === null || text.trim() !== '', `${what} can't be empty.`);
}

function refuseUnsupported(request: HeartbeatRequest): void {
  require(request.instanceId === null, 'Static membership is not yet supported.');
  require(request.taskOffsets === null, 'TaskOffsets are not supported yet.');
  require(request.taskEndOffsets === null, 'TaskEndOffsets are not supported yet.');
  require((request.warmupTasks ?? []).length === 0, 'WarmupTasks are not supported yet.');
  const hasRegex = request.topology?.subtopologies.some((s) => s.sourceTopicRegex.length > 0) === true;
  require(!hasRegex, 'Regular expressions for source topics are not supported yet.');
}

function requireJoining(request: HeartbeatRequest): void {
  require(request.rebalanceTimeoutMs !== -1, 'RebalanceTimeoutMs must be provided in first request.');
  require(request.activeTasks?.length === 0, 'ActiveTasks must be empty when (re-)joining.');
  require(request.standbyTasks?.length === 0, 'StandbyTasks must be empty when (re-)joining.');
  require(request.warmupTasks?.length === 0, 'WarmupTasks must be empty when (re-)joining.');
  require(request.topology !== null, 'Topology must be non-null when (re-)joining.');
  checkChangelogs(request.topology as RequestedTopology);
}

/** A changelog has as many partitions as there are tasks: nothing to be said. */
function checkChangelogs({ subtopologies }: RequestedTopology): void {
  for (const { name, partitions } of subtopologies.flatMap((s) => s.stateChangelogTopics)) {
    if (partitions === 0) continue;
    const message = `Changelog topic ${name} must have an undefined partition count, but it is set to ${partitions}.`;
    throw new KafkaError('STREAMS_INVALID_TOPOLOGY', message);
  }
}

/** Throws INVALID_REQUEST where a member says it has a task that the topology does not come to. */
export function checkOwnedTasks({ subtopologies }: ConfiguredTopology, request: HeartbeatRequest): void {
  const said = [request.activeTasks, request.standbyTasks, request.warmupTasks].flatMap((tasks) => tasks ?? []);
  for (const taskIds of said) checkTaskIds(taskIds, subtopologies?.get(taskIds.subtopologyId)?.numberOfTasks);
}

function checkTaskIds({ subtopologyId, partitions }: TaskIds, count: number | undefined): void {
  if (count === undefined) {
    throw new KafkaError('INVALID_REQUEST', `Subtopology ${subtopologyId} does not exist in the topology.`);
  }
  for (const partition of partitions) {
    const message = `Task ${partition} for subtopology ${subtopologyId} is invalid. Number of tasks for this subtopology: ${count}`;
    require(partition >= 0 && partition < count, message);
  }
}
