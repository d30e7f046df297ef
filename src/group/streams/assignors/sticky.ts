/**
 * The sticky task assignor: who had a task keeps it, then whoever has its state, as far as the load stays even; the rest
 * goes to where the least is. Stateful tasks get standbys, each in a process of its own.
 */
import { eachTask, type TaskSets, taskKey } from '../tasks.ts';
import { ProcessState, type Task } from './process-state.ts';

/** A member as the assignor sees it, with its last target. */
export interface AssignedMember {
  readonly processId: string;
  readonly previous: TaskSets;
}

export interface SubtopologyTasks {
  readonly isStateful: boolean;
  readonly numberOfTasks: number;
}

export interface AssignorInput {
  /** By member id. */
  readonly members: ReadonlyMap<string, AssignedMember>;
  /** By subtopology id, in the order of the ids. */
  readonly subtopologies: ReadonlyMap<string, SubtopologyTasks>;
  readonly numStandbyReplicas: number;
}

interface Place {
  readonly memberId: string;
  readonly process: ProcessState;
}

/** The tasks of every member; with no member, of nobody. */
export function assignSticky(input: AssignorInput): Map<string, TaskSets> {
  if (input.members.size === 0) return new Map();
  return new StickyAssignment(input).run();
}

class StickyAssignment {
  private readonly input: AssignorInput;
  private readonly places = new Map<string, Place>();
  private readonly processes: ProcessState[] = [];
  /** Who had the task last, by key. */
  private readonly hadActive = new Map<string, Place>();
  private readonly hadStandby = new Map<string, Place[]>();
  private readonly activeQuota: Quota;
  private readonly quota: Quota;

  constructor(input: AssignorInput) {
    this.input = input;
    const { members, subtopologies, numStandbyReplicas } = input;
    let active = 0;
    let standby = 0;
    for (const { isStateful, numberOfTasks } of subtopologies.values()) {
      active += numberOfTasks;
      if (isStateful) standby += numberOfTasks * numStandbyReplicas;
    }
    this.activeQuota = new Quota(active, members.size);
    this.quota = new Quota(active + standby, members.size);
    this.placeMembers();
  }

  run(): Map<string, TaskSets> {
    this.assignActive();
    if (this.input.numStandbyReplicas > 0) this.assignStandby();
    const assignment = new Map<string, TaskSets>();
    for (const [memberId, { process }] of this.places) {
      assignment.set(memberId, { ...process.tasksOf(memberId), warmup: new Map() });
    }
    return assignment;
  }

  private placeMembers(): void {
    const byId = new Map<string, ProcessState>();
    for (const [memberId, { processId, previous }] of this.input.members) {
      let process = byId.get(processId);
      if (process === undefined) {
        process = new ProcessState();
        byId.set(processId, process);
        this.processes.push(process);
      }
      process.addMember(memberId);
      const place = { memberId, process };
      this.places.set(memberId, place);
      for (const [id, partition] of eachTask(previous.active)) this.hadActive.set(taskKey(id, partition), place);
      for (const [id, partition] of eachTask(previous.standby)) {
        const key = taskKey(id, partition);
        this.hadStandby.set(key, [...(this.hadStandby.get(key) ?? []), place]);
      }
    }
  }

  private tasks(isWanted: (s: SubtopologyTasks) => boolean): Task[] {
    const tasks: Task[] = [];
    for (const [subtopologyId, subtopology] of this.input.subtopologies) {
      if (!isWanted(subtopology)) continue;
      for (let partition = 0; partition < subtopology.numberOfTasks; partition++) {
        tasks.push({ subtopologyId, partition });
      }
    }
    return tasks;
  }

  private assignActive(): void {
    // by partition first, so that the quota does not keep whole subtopologies together
    let open = this.tasks(() => true).sort(byPartition);
    open = open.filter((task) => !this.giveBack(task, this.hadActive.get(keyOf(task))));
    open = open.filter((task) => !this.giveBack(task, leastLoaded(this.hadStandby.get(keyOf(task)) ?? [])));
    for (const task of open.sort(bySubtopology)) {
      const process = leastLoadedOf(this.processes) as ProcessState;
      this.count(process.give(process.leastLoadedMember(), task, 'active'), 'active');
    }
  }

  /** Gives an active task to whom it was with, within what is due to each. */
  private giveBack(task: Task, place: Place | undefined): boolean {
    if (place === undefined || !this.activeQuota.leavesRoomFor(place)) return false;
    this.count(place.process.give(place.memberId, task, 'active'), 'active');
    return true;
  }

  private assignStandby(): void {
    const open: Task[] = [];
    for (const task of this.tasks(({ isStateful }) => isStateful).sort((a, b) => byPartition(b, a))) {
      for (let i = 0; i < this.input.numStandbyReplicas; i++) if (!this.keepStandby(task)) open.push(task);
    }
    for (const task of open.sort((a, b) => bySubtopology(b, a))) {
      const process = leastLoadedOf(this.processes.filter((p) => !p.has(task)));
      // with fewer processes than copies there are fewer standbys than asked for
      if (process !== undefined) this.count(process.give(process.leastLoadedMember(), task, 'standby'), 'standby');
    }
  }

  /** A standby where the state is: with who had the task, or one of those who had its standbys. */
  private keepStandby(task: Task): boolean {
    const had = this.hadActive.get(keyOf(task));
    const standbys = (this.hadStandby.get(keyOf(task)) ?? []).filter(({ process }) => !process.has(task));
    const before = had !== undefined && !had.process.has(task) ? [had] : [];
    const place = [...before, leastLoaded(standbys)].find((p) => p !== undefined && this.quota.leavesRoomFor(p));
    if (place === undefined) return false;
    this.count(place.process.give(place.memberId, task, 'standby'), 'standby');
    return true;
  }

  private count(taskCount: number, role: 'active' | 'standby'): void {
    if (role === 'active') this.activeQuota.reached(taskCount);
    this.quota.reached(taskCount);
  }
}

/** How many tasks a member may keep so that the rest can be spread evenly; it shrinks with those who have theirs. */
class Quota {
  private tasks: number;
  private members: number;
  private perMember: number;

  constructor(tasks: number, members: number) {
    this.tasks = tasks;
    this.members = members;
    this.perMember = Math.ceil(tasks / members);
  }

  leavesRoomFor({ memberId, process }: Place): boolean {
    return (process.taskCounts.get(memberId) ?? 0) < this.perMember;
  }

  /** A member has come to so many tasks. */
  reached(taskCount: number): void {
    if (taskCount !== this.perMember) return;
    this.members--;
    this.tasks -= taskCount;
    this.perMember = this.members === 0 ? 0 : Math.ceil(this.tasks / this.members);
  }
}

const keyOf = ({ subtopologyId, partition }: Task): string => taskKey(subtopologyId, partition);

const byId = (a: Task, b: Task): number =>
  a.subtopologyId < b.subtopologyId ? -1 : +(a.subtopologyId > b.subtopologyId);
const byPartition = (a: Task, b: Task): number => a.partition - b.partition || byId(a, b);
const bySubtopology = (a: Task, b: Task): number => byId(a, b) || a.partition - b.partition;

/** The member with the least to do, in the process with the least to do. */
function leastLoaded(places: readonly Place[]): Place | undefined {
  const count = ({ memberId, process }: Place) => process.taskCounts.get(memberId) ?? 0;
  let least: Place | undefined;
  for (const place of places) {
    if (least === undefined) least = place;
    else if (place.process.load < least.process.load && count(place) < count(least)) least = place;
  }
  return least;
}

function leastLoadedOf(processes: readonly ProcessState[]): ProcessState | undefined {
  let least: ProcessState | undefined;
  for (const process of processes) if (least === undefined || process.load < least.load) least = process;
  return least;
}
