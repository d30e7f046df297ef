/** How streams groups come from the log, go on when they are loaded, and end. */
import { toNumber } from '../../../protocol/int64.ts';
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import { fence } from './leave.ts';
import type { AssignmentValue, GroupValue, MemberTargetValue, StreamsRecord } from './records.ts';
import { streamsConfig } from './streams-config.ts';
import { StreamsGroup } from './streams-group.ts';
import { MemberState, type MemberStateValue, newMember, type StreamsMember } from './streams-member.ts';
import { endInitialDelay } from './target-epoch.ts';
import { type EpochedTasks, NO_TASKS, type TaskSets, tasksOf } from './tasks.ts';
import * as timers from './timers.ts';

/** How long after a failure a timer tries again. */
const RETRY_MS = 500;
/** The epochs of what was deleted, until the rest of it is. */
const GONE_EPOCH = -1;

export function replayStreams(shard: GroupShard, record: StreamsRecord): void {
  const group = groupFor(shard, record);
  if (group === null) return;
  switch (record.part) {
    case 'group':
      if (record.value !== null) applyGroup(group, record.value as GroupValue);
      else {
        timers.cancelInitialRebalance(shard, group.groupId);
        shard.groups.delete(group.groupId);
      }
      return;
    case 'topology':
      group.setTopology(record.value);
      return;
    case 'target':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? GONE_EPOCH;
      group.assignmentTimestampMs = toNumber(record.value?.assignmentTimestamp ?? 0);
      return;
    case 'member-target':
      if (record.value === null) group.targets.delete(record.memberId);
      else group.targets.set(record.memberId, targetOf(record.value));
      return;
    default:
      replayMember(group, record);
  }
}

/** The group of the record; null where the record deletes what is not there. */
function groupFor(shard: GroupShard, { groupId, value }: StreamsRecord): StreamsGroup | null {
  const group = shard.groups.get(groupId);
  if (group instanceof StreamsGroup) return group;
  if (value === null) return null;
  // committed offsets alone make a group of no kind in particular
  const isNoneYet = group === undefined || (group.type === 'classic' && group.isEmpty() && group.protocolType === null);
  if (!isNoneYet) throw new Error(`group ${groupId} is not a streams group`);
  const created = new StreamsGroup(groupId);
  shard.groups.set(groupId, created);
  return created;
}

function applyGroup(group: StreamsGroup, value: GroupValue): void {
  group.groupEpoch = value.epoch;
  group.metadataHash = value.metadataHash;
  group.validatedTopologyEpoch = value.validatedTopologyEpoch;
  group.assignmentConfigs = new Map((value.lastAssignmentConfigs ?? []).map((config) => [config.key, config.value]));
}

const targetOf = ({ activeTasks, standbyTasks, warmupTasks }: MemberTargetValue): TaskSets => ({
  active: tasksOf(activeTasks),
  standby: tasksOf(standbyTasks),
  warmup: tasksOf(warmupTasks),
});

function replayMember(group: StreamsGroup, record: StreamsRecord & { part: 'member' | 'assignment' }): void {
  const { memberId } = record;
  const before = group.members.get(memberId);
  if (record.value === null) {
    if (before === undefined) return;
    if (record.part === 'member') group.removeMember(memberId);
    else group.putMember(withoutTasks(before));
    return;
  }
  const member = before ?? newMember(memberId);
  if (record.part === 'member') group.putMember({ ...member, metadata: detached(record.value) });
  else group.putMember({ ...member, ...assignmentOf(record.value) });
}

/** What is read from the log may share its memory with it: strings do not, so that a copy of the lists is enough. */
const detached = (metadata: StreamsMember['metadata']): StreamsMember['metadata'] => ({
  ...metadata,
  clientTags: [...metadata.clientTags].sort((a, b) => (a.key < b.key ? -1 : 1)),
});

const withoutTasks = (member: StreamsMember): StreamsMember => ({
  ...member,
  memberEpoch: GONE_EPOCH,
  previousMemberEpoch: GONE_EPOCH,
  assigned: NO_TASKS,
  pendingRevocation: NO_TASKS,
});

function assignmentOf(value: AssignmentValue): Omit<StreamsMember, 'memberId' | 'metadata'> {
  const { memberEpoch } = value;
  return {
    memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: stateOf(value.state),
    assigned: {
      active: epochedTasksOf(value.activeTasks, memberEpoch),
      standby: tasksOf(value.standbyTasks),
      warmup: tasksOf(value.warmupTasks),
    },
    pendingRevocation: {
      active: epochedTasksOf(value.activeTasksPendingRevocation, memberEpoch),
      standby: tasksOf(value.standbyTasksPendingRevocation),
      warmup: tasksOf(value.warmupTasksPendingRevocation),
    },
  };
}

const stateOf = (state: number): MemberStateValue =>
  Object.values(MemberState).find((known) => known === state) ?? MemberState.UNKNOWN;

/** Where a record does not say when a task came to its member, as before Kafka 4.3: in the member's epoch. */
function epochedTasksOf(taskIds: AssignmentValue['activeTasks'], memberEpoch: number): EpochedTasks {
  return new Map(
    taskIds.map(({ subtopologyId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : null;
      return [subtopologyId, new Map(partitions.map((p, i) => [p, epochs?.[i] ?? memberEpoch]))];
    }),
  );
}

/** Whoever was a member has a whole session to be heard of. */
export function streamsLoaded(shard: GroupShard, group: StreamsGroup): void {
  const { groupId } = group;
  for (const member of group.members.values()) {
    const { memberId, state, metadata } = member;
    timers.scheduleSession(shard, groupId, memberId, streamsConfig(shard, groupId).get('streams.session.timeout.ms'));
    if (state === MemberState.UNREVOKED_TASKS) {
      timers.scheduleRebalance(shard, groupId, member, metadata.rebalanceTimeoutMs);
    }
  }
}

export function expireStreams(
  shard: GroupShard,
  event: timers.StreamsTimer,
  nowMs: number,
): Outcome<GroupRecord, void> {
  const { groupId } = event;
  const group = shard.groups.get(groupId);
  if (!(group instanceof StreamsGroup)) return DONE;
  switch (event.type) {
    case 'session': {
      const { memberId } = event;
      const failed = () => timers.scheduleSession(shard, groupId, memberId, RETRY_MS);
      return { ...fence(shard, group, memberId, 'its session ended'), failed };
    }
    case 'rebalance': {
      if (group.members.get(event.memberId)?.memberEpoch !== event.memberEpoch) return DONE;
      const failed = () => timers.scheduleRebalance(shard, groupId, event, RETRY_MS);
      return { ...fence(shard, group, event.memberId, 'it did not give back its tasks in time'), failed };
    }
    case 'initial-rebalance':
      return endInitialDelay(shard, group, nowMs);
  }
}
