/**
 * Reconciliation: how a member comes from the tasks it has to those it is to have. A task is given to its new owner only
 * when the one before has said that it gave it back, and an active task and its standby never meet in one process, since
 * both would write to the same state directory.
 */
import { KafkaError } from '../../../protocol/errors.ts';
import { MemberState, type StreamsMember } from './streams-member.ts';
import type { TaskOwners } from './task-owners.ts';
import * as tasks from './tasks.ts';

export interface Target {
  readonly epoch: number;
  readonly tasks: tasks.TaskSets;
}

/**
 * The next step of the member; itself where there is none to take. `owned`: the tasks it says it has, null where it does
 * not say. Throws FENCED_MEMBER_EPOCH where a later release wrote a state that is not known here.
 */
export function reconcile(
  member: StreamsMember,
  target: Target,
  owners: TaskOwners,
  owned: tasks.TaskSets | null,
): StreamsMember {
  const from = (memberEpoch: number) => nextAssignment({ ...member, memberEpoch }, member, target, owners, owned);
  switch (member.state) {
    case MemberState.STABLE:
      return member.memberEpoch === target.epoch ? member : from(member.memberEpoch);
    case MemberState.UNREVOKED_TASKS:
      if (owned === null || tasks.haveCommonTask(owned, member.pendingRevocation)) return member;
      return from(member.memberEpoch + 1);
    case MemberState.UNRELEASED_TASKS:
      return from(member.memberEpoch);
    default:
      if (owned === null || !tasks.hasNoTasks(owned)) {
        throw new KafkaError(
          'FENCED_MEMBER_EPOCH',
          'The streams group member is in a unknown state. The member must abandon all its tasks and rejoin.',
        );
      }
      return from(target.epoch);
  }
}

function nextAssignment(
  at: StreamsMember,
  before: StreamsMember,
  target: Target,
  owners: TaskOwners,
  owned: tasks.TaskSets | null,
): StreamsMember {
  const { assigned, metadata } = at;
  const isInProcess = (key: string) => owners.isIn(metadata.processId, key);
  const isWithAnybody = (key: string) => owners.active.has(key) || isInProcess(key);
  const active = difference(assigned.active, target.tasks.active, target.epoch, isWithAnybody);
  const standby = difference(dated(assigned.standby), target.tasks.standby, target.epoch, isInProcess);
  const warmup = difference(dated(assigned.warmup), target.tasks.warmup, target.epoch, isInProcess);
  const previousMemberEpoch = before.memberEpoch;
  const revoked = { active: active.revoked, standby: undated(standby.revoked), warmup: undated(warmup.revoked) };
  if (!tasks.hasNoTasks(revoked) && (owned === null || tasks.haveCommonTask(owned, revoked))) {
    const kept = { active: active.kept, standby: undated(standby.kept), warmup: undated(warmup.kept) };
    const state = MemberState.UNREVOKED_TASKS;
    return { ...at, previousMemberEpoch, state, assigned: kept, pendingRevocation: revoked };
  }
  const isWaiting = active.isWaiting || standby.isWaiting || warmup.isWaiting;
  return {
    ...at,
    memberEpoch: target.epoch,
    previousMemberEpoch,
    state: isWaiting ? MemberState.UNRELEASED_TASKS : MemberState.STABLE,
    assigned: {
      active: tasks.joinTasks(active.kept, active.added),
      standby: undated(tasks.joinTasks(standby.kept, standby.added)),
      warmup: undated(tasks.joinTasks(warmup.kept, warmup.added)),
    },
    pendingRevocation: tasks.NO_TASKS,
  };
}

interface Difference {
  /** What the member has and is to have. */
  readonly kept: tasks.EpochedTasks;
  /** What it has and is to give back. */
  readonly revoked: tasks.EpochedTasks;
  /** What it can be given now. */
  readonly added: tasks.EpochedTasks;
  /** Whether something it is to have is still elsewhere. */
  readonly isWaiting: boolean;
}

/** `isTaken`: whether a task, by its key, is still where it must not be when the member gets it. */
function difference(
  current: tasks.EpochedTasks,
  target: tasks.Tasks,
  epoch: number,
  isTaken: (key: string) => boolean,
): Difference {
  const kept: Growing = new Map();
  const revoked: Growing = new Map();
  const added: Growing = new Map();
  let isWaiting = false;
  for (const [subtopologyId, partitions] of current) {
    for (const [partition, since] of partitions) {
      const stays = target.get(subtopologyId)?.has(partition) === true;
      put(stays ? kept : revoked, subtopologyId, partition, since);
    }
  }
  for (const [subtopologyId, partition] of tasks.eachTask(target)) {
    if (current.get(subtopologyId)?.has(partition)) continue;
    if (isTaken(tasks.taskKey(subtopologyId, partition))) isWaiting = true;
    else put(added, subtopologyId, partition, epoch);
  }
  return { kept, revoked, added, isWaiting };
}

type Growing = Map<string, Map<number, number>>;

function put(into: Growing, subtopologyId: string, partition: number, epoch: number): void {
  const partitions = into.get(subtopologyId);
  if (partitions === undefined) into.set(subtopologyId, new Map([[partition, epoch]]));
  else partitions.set(partition, epoch);
}

/** Standby and warm-up tasks have no epochs; with any, all roles go the same way. */
const dated = (plain: tasks.Tasks): tasks.EpochedTasks =>
  new Map([...plain].map(([id, partitions]) => [id, new Map([...partitions].map((p) => [p, 0]))]));

const undated = (epoched: tasks.EpochedTasks): tasks.Tasks =>
  new Map([...epoched].map(([id, partitions]) => [id, new Set(partitions.keys())]));
