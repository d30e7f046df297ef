import type { StreamsMember } from './streams-member.ts';
import { type AssignedTasks, eachTask, taskKey } from './tasks.ts';

/**
 * In which processes the tasks of a group are now, tasks that are being given back included. By key (`taskKey`). A process
 * is what members with the same state directory have in common.
 */
export class TaskOwners {
  readonly active = new Map<string, string>();
  private readonly standby = new Map<string, Set<string>>();
  private readonly warmup = new Map<string, Set<string>>();

  add({ assigned, pendingRevocation, metadata: { processId } }: StreamsMember): void {
    for (const tasks of [assigned, pendingRevocation]) this.addTasks(tasks, processId);
  }

  remove({ assigned, pendingRevocation, metadata: { processId } }: StreamsMember): void {
    for (const tasks of [assigned, pendingRevocation]) this.removeTasks(tasks, processId);
  }

  /** Whether the task is in the process, in whatever role. */
  isIn(processId: string, key: string): boolean {
    return (
      this.active.get(key) === processId ||
      this.standby.get(key)?.has(processId) === true ||
      this.warmup.get(key)?.has(processId) === true
    );
  }

  private addTasks({ active, standby, warmup }: AssignedTasks, processId: string): void {
    for (const [id, partition] of eachTask(active)) this.active.set(taskKey(id, partition), processId);
    for (const [id, partition] of eachTask(standby)) addTo(this.standby, taskKey(id, partition), processId);
    for (const [id, partition] of eachTask(warmup)) addTo(this.warmup, taskKey(id, partition), processId);
  }

  /** An active task that another process has by now stays with it. */
  private removeTasks({ active, standby, warmup }: AssignedTasks, processId: string): void {
    for (const [id, partition] of eachTask(active)) {
      const key = taskKey(id, partition);
      if (this.active.get(key) === processId) this.active.delete(key);
    }
    for (const [id, partition] of eachTask(standby)) removeFrom(this.standby, taskKey(id, partition), processId);
    for (const [id, partition] of eachTask(warmup)) removeFrom(this.warmup, taskKey(id, partition), processId);
  }
}

function addTo(owners: Map<string, Set<string>>, key: string, processId: string): void {
  const processes = owners.get(key);
  if (processes === undefined) owners.set(key, new Set([processId]));
  else processes.add(processId);
}

function removeFrom(owners: Map<string, Set<string>>, key: string, processId: string): void {
  const processes = owners.get(key);
  processes?.delete(processId);
  if (processes?.size === 0) owners.delete(key);
}
