import type { Clock, Timer } from '../../src/env.ts';

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until it is advanced; tasks run at their time, in the order in which they were set. */
export class VirtualClock implements Clock {
  private timeMs: number;
  private order = 0;
  private readonly tasks = new Set<Task>();

  constructor(startMs = 1_700_000_000_000) {
    this.timeMs = startMs;
  }

  nowMs(): number {
    return this.timeMs;
  }

  monotonicMs(): number {
    return this.timeMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const task = { atMs: this.timeMs + delayMs, order: this.order++, run };
    this.tasks.add(task);
    return { cancel: () => this.tasks.delete(task) };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.tasks.size;
  }

  /** Lets time pass, and between the tasks whatever waits in promises. */
  async advance(ms: number): Promise<void> {
    const endMs = this.timeMs + ms;
    await settle();
    for (let task = this.next(endMs); task !== null; task = this.next(endMs)) {
      this.tasks.delete(task);
      this.timeMs = Math.max(this.timeMs, task.atMs);
      task.run();
      await settle();
    }
    this.timeMs = endMs;
  }

  private next(endMs: number): Task | null {
    let first: Task | null = null;
    for (const task of this.tasks) {
      if (task.atMs > endMs) continue;
      if (first === null || task.atMs < first.atMs || (task.atMs === first.atMs && task.order < first.order))
        first = task;
    }
    return first;
  }
}

/** Lets everything that is resolved go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
