import { KafkaError } from '../../../protocol/errors.ts';
import type { StreamsGroupHeartbeatResponse } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { Caller } from '../caller.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import { reconcile, type Target } from './current-assignment.ts';
import { endpointsOf } from './endpoints.ts';
import type { CreatableTopic } from './internal-topics.ts';
import { assignmentRecord, memberRecord } from './records.ts';
import { checkOwnedTasks, type HeartbeatRequest, JOINING } from './request-checks.ts';
import { requestShutdown, shutdownStatus } from './shutdown.ts';
import { type Status, StatusCode } from './status.ts';
import { assignmentConfigs, sameConfigs, streamsConfig } from './streams-config.ts';
import { StreamsGroup } from './streams-group.ts';
import {
  isReconciledTo,
  MemberState,
  newMember,
  type StreamsMember,
  sameMember,
  sameMetadata,
  updatedMetadata,
} from './streams-member.ts';
import { nextTarget } from './target-epoch.ts';
import { includesAll, sameAssignedTasks, type TaskSets, tasksOf, toTaskIds } from './tasks.ts';
import * as timers from './timers.ts';
import { sameTopology, type Topology, topologyOf } from './topology.ts';
import { lookAtTopics } from './topology-check.ts';

export type HeartbeatResponse = InputOf<typeof StreamsGroupHeartbeatResponse>;

export interface HeartbeatResult {
  readonly response: HeartbeatResponse;
  /** Internal topics that are to be created. */
  readonly missing: readonly CreatableTopic[];
  readonly heartbeatIntervalMs: number;
}

/**
 * A member lives, says what it has, and learns what it is to have. The first heartbeat of the first member makes the group.
 * Throws GROUP_ID_NOT_FOUND, GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, INVALID_REQUEST,
 * STREAMS_INVALID_TOPOLOGY.
 */
export function heartbeat(
  shard: GroupShard,
  caller: Caller,
  request: HeartbeatRequest,
  nowMs: number,
): Outcome<GroupRecord, HeartbeatResult> {
  const records: GroupRecord[] = [];
  const statuses: Status[] = [];
  const { groupId, memberId } = request;
  const group = groupOf(shard, request, records);
  const member = memberOf(group, request);
  let updated: StreamsMember = { ...member, metadata: updatedMetadata(member.metadata, caller, request) };
  let isNewEpoch = !sameMetadata(member.metadata, updated.metadata);
  if (isNewEpoch) records.push(memberRecord(groupId, updated));

  const topology = topologyFor(group, request, records);
  statuses.push(...staleTopology(group, updated));
  const { metadataHash, hasChanged, configured } = lookAtTopics(shard, group, topology);
  const validatedTopologyEpoch = configured.problem === null ? topology.epoch : -1;
  if (configured.problem === null) checkOwnedTasks(configured, request);
  const configs = assignmentConfigs(shard, groupId);
  isNewEpoch ||= hasChanged || validatedTopologyEpoch !== group.validatedTopologyEpoch;
  isNewEpoch ||= !sameConfigs(configs, group.assignmentConfigs);
  const groupEpoch = group.groupEpoch + Number(isNewEpoch);
  if (isNewEpoch) {
    records.push(group.epochRecord({ epoch: groupEpoch, metadataHash, validatedTopologyEpoch, configs }));
    shard.env.logger.info(
      { groupId, memberId, groupEpoch, validatedTopologyEpoch },
      'streams group enters a new epoch',
    );
  }

  const config = streamsConfig(shard, groupId);
  const delayMs = config.get('streams.initial.rebalance.delay.ms');
  if (group.isEmpty() && delayMs > 0) timers.scheduleInitialRebalance(shard, groupId, delayMs);
  const target = nextTarget(shard, group, { groupEpoch, updated, configured, configs, nowMs }, records, statuses);
  updated = reconciled(shard, group, updated, target, request, records);
  timers.scheduleSession(shard, groupId, memberId, config.get('streams.session.timeout.ms'));
  if (request.shutdownApplication) requestShutdown(shard, group, memberId);

  const heartbeatIntervalMs = config.get('streams.heartbeat.interval.ms');
  const told = respond(shard, group, request, member, updated);
  const response = { ...told, heartbeatIntervalMs };
  if (configured.problem !== null) statuses.push(configured.problem.status);
  statuses.push(...shutdownStatus(group));
  return {
    records,
    response: { response: { ...response, status: statuses }, missing: configured.missing, heartbeatIntervalMs },
    // what was found out about the topics is not in the log then: find it out again
    failed: () => {
      group.configured = null;
    },
  };
}

/** The group; for one who joins a new one where there is none. A new one counts when its records are written. */
function groupOf(shard: GroupShard, { groupId, memberEpoch }: HeartbeatRequest, records: GroupRecord[]): StreamsGroup {
  const group = shard.groups.get(groupId);
  if (memberEpoch !== JOINING) {
    if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Streams group ${groupId} not found.`);
    return requireStreams(group);
  }
  if (group === undefined) return new StreamsGroup(groupId);
  if (group.type === 'classic' && group.isEmpty()) {
    records.push(...group.tombstones());
    return new StreamsGroup(groupId);
  }
  const present = requireStreams(group);
  const maxSize = shard.config.get('group.streams.max.size');
  if (present.members.size < maxSize) return present;
  const message = `The streams group has reached its maximum capacity of ${maxSize} members.`;
  throw new KafkaError('GROUP_MAX_SIZE_REACHED', message);
}

function requireStreams(group: { readonly groupId: string }): StreamsGroup {
  if (group instanceof StreamsGroup) return group;
  throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${group.groupId} is not a streams group.`);
}

function memberOf(group: StreamsGroup, request: HeartbeatRequest): StreamsMember {
  const { memberId, memberEpoch } = request;
  if (memberEpoch === JOINING) return group.members.get(memberId) ?? newMember(memberId);
  const member = group.requireMember(memberId);
  if (memberEpoch > member.memberEpoch) throw fenced('greater', memberEpoch, member);
  if (memberEpoch < member.memberEpoch && !isRepeated(member, request)) throw fenced('smaller', memberEpoch, member);
  return member;
}

/** The answer to its last heartbeat may have been lost: then it is in the epoch before, with nothing that it lost since. */
function isRepeated({ previousMemberEpoch, assigned }: StreamsMember, request: HeartbeatRequest): boolean {
  const { memberEpoch, activeTasks, standbyTasks, warmupTasks } = request;
  if (memberEpoch !== previousMemberEpoch) return false;
  if (activeTasks === null || standbyTasks === null || warmupTasks === null) return false;
  return (
    includesAll(assigned.active, activeTasks) &&
    includesAll(assigned.standby, standbyTasks) &&
    includesAll(assigned.warmup, warmupTasks)
  );
}

function fenced(than: 'greater' | 'smaller', received: number, { memberEpoch }: StreamsMember): KafkaError {
  const message = `The streams group member has a ${than} member epoch (${received}) than the one known by the group coordinator (${memberEpoch}). The member must abandon all its partitions and rejoin.`;
  return new KafkaError('FENCED_MEMBER_EPOCH', message);
}

/** The group's topology, which is that of its first member. */
function topologyFor(group: StreamsGroup, request: HeartbeatRequest, records: GroupRecord[]): Topology {
  const { groupId, topology: requested } = request;
  if (requested === null) {
    if (group.topology === null) throw new Error(`streams group ${groupId} has no topology`);
    return group.topology;
  }
  const topology = topologyOf(requested);
  if (group.topology === null) {
    records.push({ type: 'streams', part: 'topology', groupId, value: topology });
    return topology;
  }
  if (group.topology.epoch > topology.epoch) return group.topology;
  if (sameTopology(group.topology, topology)) return group.topology;
  throw new KafkaError('INVALID_REQUEST', 'Topology updates are not supported yet.');
}

function staleTopology({ topology }: StreamsGroup, { metadata: { topologyEpoch } }: StreamsMember): Status[] {
  if (topology === null || topologyEpoch >= topology.epoch) return [];
  const statusDetail = `The member's topology epoch ${topologyEpoch} is behind the group's topology epoch ${topology.epoch}.`;
  return [{ statusCode: StatusCode.STALE_TOPOLOGY, statusDetail }];
}

/** The member's next step towards the target. */
function reconciled(
  shard: GroupShard,
  group: StreamsGroup,
  member: StreamsMember,
  target: Target,
  request: HeartbeatRequest,
  records: GroupRecord[],
): StreamsMember {
  if (isReconciledTo(member, target.epoch)) return member;
  const updated = reconcile(member, target, group.owners, ownedTasks(request));
  if (sameMember(updated, member)) return updated;
  const { groupId } = group;
  records.push(assignmentRecord(groupId, updated));
  const { memberId, memberEpoch, state } = updated;
  shard.env.logger.debug({ groupId, memberId, memberEpoch, state }, 'member has a new assignment');
  if (state === MemberState.UNREVOKED_TASKS) {
    timers.scheduleRebalance(shard, groupId, updated, updated.metadata.rebalanceTimeoutMs);
  } else {
    timers.cancelRebalance(shard, groupId, memberId);
  }
  return updated;
}

function ownedTasks({ activeTasks, standbyTasks, warmupTasks }: HeartbeatRequest): TaskSets | null {
  if (activeTasks === null || standbyTasks === null || warmupTasks === null) return null;
  return { active: tasksOf(activeTasks), standby: tasksOf(standbyTasks), warmup: tasksOf(warmupTasks) };
}

/** The tasks are told to one who joins and when they have changed; endpoints when the member knows an older state. */
function respond(
  shard: GroupShard,
  group: StreamsGroup,
  request: HeartbeatRequest,
  before: StreamsMember,
  member: StreamsMember,
): HeartbeatResponse {
  const { groupId } = group;
  const { memberId, memberEpoch, assigned } = member;
  const isTold = request.memberEpoch === JOINING || !sameAssignedTasks(before.assigned, assigned);
  if (isTold && member.metadata.userEndpoint !== null) group.endpointInformationEpoch++;
  const { endpointInformationEpoch } = group;
  const areEndpointsTold = endpointInformationEpoch !== request.endpointInformationEpoch;
  return {
    memberId,
    memberEpoch,
    activeTasks: isTold ? toTaskIds(assigned.active) : null,
    standbyTasks: isTold ? toTaskIds(assigned.standby) : null,
    warmupTasks: isTold ? toTaskIds(assigned.warmup) : null,
    // a group that is just being made begins to count with the next heartbeat
    endpointInformationEpoch: shard.groups.has(groupId) ? endpointInformationEpoch : 0,
    partitionsByUserEndpoint: areEndpointsTold ? endpointsOf(group, member, shard.env.image()) : null,
  };
}
