/**
 * Tasks: a subtopology and a partition of it. Who has which task is kept by subtopology id, as requests and records name
 * them. A subtopology of which nothing is left is absent.
 */

/** Partitions by subtopology id. */
export type Tasks = ReadonlyMap<string, ReadonlySet<number>>;

/** By subtopology id: partitions, with the epoch in which the task came to its member. */
export type EpochedTasks = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** What both forms have in common. */
type AnyTasks = ReadonlyMap<
  string,
  { keys(): Iterable<number>; has(partition: number): boolean; readonly size: number }
>;

/** The tasks that a member is to have, or says it has. */
export interface TaskSets {
  readonly active: Tasks;
  readonly standby: Tasks;
  readonly warmup: Tasks;
}

/** The tasks that a member was given. */
export interface AssignedTasks {
  readonly active: EpochedTasks;
  readonly standby: Tasks;
  readonly warmup: Tasks;
}

/** The partitions of one subtopology, as messages and records hold them. */
export interface TaskIds {
  readonly subtopologyId: string;
  readonly partitions: readonly number[];
}

export const NO_TASKS: TaskSets & AssignedTasks = { active: new Map(), standby: new Map(), warmup: new Map() };

/** One name for a task. */
export const taskKey = (subtopologyId: string, partition: number): string => `${partition}_${subtopologyId}`;

export function tasksOf(taskIds: readonly TaskIds[]): Tasks {
  return new Map(taskIds.map(({ subtopologyId, partitions }) => [subtopologyId, new Set(partitions)]));
}

/** Subtopologies by name, partitions in order. */
export function toTaskIds(tasks: AnyTasks): { subtopologyId: string; partitions: number[] }[] {
  return [...tasks.keys()].sort().map((subtopologyId) => ({
    subtopologyId,
    partitions: [...(tasks.get(subtopologyId)?.keys() ?? [])].sort((a, b) => a - b),
  }));
}

export function* eachTask(tasks: AnyTasks): IterableIterator<[subtopologyId: string, partition: number]> {
  for (const [subtopologyId, partitions] of tasks) for (const p of partitions.keys()) yield [subtopologyId, p];
}

export const hasNoTasks = ({ active, standby, warmup }: TaskSets | AssignedTasks): boolean =>
  active.size === 0 && standby.size === 0 && warmup.size === 0;

/** Whether both have at least one task in common, in the same role. */
export function haveCommonTask(a: TaskSets | AssignedTasks, b: TaskSets | AssignedTasks): boolean {
  return (
    overlaps(a.active as AnyTasks, b.active as AnyTasks) ||
    overlaps(a.standby, b.standby) ||
    overlaps(a.warmup, b.warmup)
  );
}

function overlaps(a: AnyTasks, b: AnyTasks): boolean {
  for (const [subtopologyId, partition] of eachTask(a)) if (b.get(subtopologyId)?.has(partition)) return true;
  return false;
}

/** Whether all of the tasks named are among those given. */
export function includesAll(given: AnyTasks, named: readonly TaskIds[]): boolean {
  return named.every(({ subtopologyId, partitions }) => {
    const present = given.get(subtopologyId);
    return present !== undefined && partitions.every((p) => present.has(p));
  });
}

export const sameTaskSets = (a: TaskSets, b: TaskSets): boolean =>
  sameTasks(a.active, b.active) && sameTasks(a.standby, b.standby) && sameTasks(a.warmup, b.warmup);

export const sameAssignedTasks = (a: AssignedTasks, b: AssignedTasks): boolean =>
  sameEpochedTasks(a.active, b.active) && sameTasks(a.standby, b.standby) && sameTasks(a.warmup, b.warmup);

function sameTasks(a: AnyTasks, b: AnyTasks): boolean {
  if (a.size !== b.size) return false;
  for (const [subtopologyId, partitions] of a) {
    const others = b.get(subtopologyId);
    if (others === undefined || others.size !== partitions.size) return false;
    for (const p of partitions.keys()) if (!others.has(p)) return false;
  }
  return true;
}

function sameEpochedTasks(a: EpochedTasks, b: EpochedTasks): boolean {
  if (!sameTasks(a, b)) return false;
  for (const [subtopologyId, partitions] of a) {
    for (const [p, epoch] of partitions) if (b.get(subtopologyId)?.get(p) !== epoch) return false;
  }
  return true;
}

/** The tasks of both, which have none in common. */
export function joinTasks(a: EpochedTasks, b: EpochedTasks): EpochedTasks {
  const all = new Map(a);
  for (const [subtopologyId, partitions] of b) {
    all.set(subtopologyId, new Map([...(a.get(subtopologyId) ?? []), ...partitions]));
  }
  return all;
}
