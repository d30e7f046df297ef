import { type Tasks, taskKey } from '../tasks.ts';

export interface Task {
  readonly subtopologyId: string;
  readonly partition: number;
}

/** What a process is given while an assignment is made; its members share its load. */
export class ProcessState {
  /** Tasks of each member so far, of both roles. */
  readonly taskCounts = new Map<string, number>();
  private readonly keys = new Set<string>();
  private readonly active = new Map<string, Task[]>();
  private readonly standby = new Map<string, Task[]>();

  addMember(memberId: string): void {
    this.taskCounts.set(memberId, 0);
  }

  /** Tasks a member. */
  get load(): number {
    return this.keys.size / this.taskCounts.size;
  }

  has({ subtopologyId, partition }: Task): boolean {
    return this.keys.has(taskKey(subtopologyId, partition));
  }

  /** Gives the task to the member and says how many it has now. */
  give(memberId: string, task: Task, role: 'active' | 'standby'): number {
    this.keys.add(taskKey(task.subtopologyId, task.partition));
    const ofRole = role === 'active' ? this.active : this.standby;
    const tasks = ofRole.get(memberId);
    if (tasks === undefined) ofRole.set(memberId, [task]);
    else tasks.push(task);
    const count = (this.taskCounts.get(memberId) ?? 0) + 1;
    this.taskCounts.set(memberId, count);
    return count;
  }

  leastLoadedMember(): string {
    let least: string | null = null;
    for (const [memberId, count] of this.taskCounts) {
      if (least === null || count < (this.taskCounts.get(least) as number)) least = memberId;
    }
    if (least === null) throw new Error('a process without members');
    return least;
  }

  tasksOf(memberId: string): { active: Tasks; standby: Tasks } {
    return { active: bySubtopology(this.active.get(memberId)), standby: bySubtopology(this.standby.get(memberId)) };
  }
}

function bySubtopology(tasks: readonly Task[] = []): Tasks {
  const ids = new Map<string, Set<number>>();
  for (const { subtopologyId, partition } of tasks) {
    const partitions = ids.get(subtopologyId);
    if (partitions === undefined) ids.set(subtopologyId, new Set([partition]));
    else partitions.add(partition);
  }
  return ids;
}
