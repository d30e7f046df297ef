import type { Clock, Timer } from '../env.ts';
import type { PartitionWaiter } from './partition.ts';

/** What a fetch can wait for: a partition, or what a share group has of one. */
export interface Waitable {
  addWaiter(waiter: PartitionWaiter): void;
  removeWaiter(waiter: PartitionWaiter): void;
}

/**
 * A fetch in its long poll (KIP-17's `min_bytes` and `max_wait_ms`): resolves when enough has come, when time is up, when a partition
 * it waits for is deleted, or when the broker stops. What is enough is the caller's to say.
 */
class FetchWait implements PartitionWaiter {
  readonly done: Promise<void>;
  private readonly partitions: readonly Waitable[];
  private readonly isEnough: () => boolean;
  private readonly timer: Timer;
  private readonly all: Set<FetchWait>;
  private resolve: () => void = () => {};
  private checking = false;
  private over = false;

  constructor(
    all: Set<FetchWait>,
    partitions: readonly Waitable[],
    maxWaitMs: number,
    clock: Clock,
    isEnough: () => boolean,
  ) {
    this.all = all;
    this.partitions = partitions;
    this.isEnough = isEnough;
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = clock.after(maxWaitMs, () => this.finish());
    all.add(this);
    for (const partition of partitions) partition.addWaiter(this);
  }

  /** Looks again once the appends of this turn are done: several of them wake it once. */
  wake(): void {
    if (this.checking || this.over) return;
    this.checking = true;
    queueMicrotask(() => {
      this.checking = false;
      if (!this.over && this.isEnough()) this.finish();
    });
  }

  finish(): void {
    if (this.over) return;
    this.over = true;
    this.timer.cancel();
    this.all.delete(this);
    for (const partition of this.partitions) partition.removeWaiter(this);
    this.resolve();
  }
}

/** The long polls under way. Once stopped, every fetch is answered at once with what there is. */
export class FetchWaits {
  private readonly clock: Clock;
  private readonly all = new Set<FetchWait>();
  private stopped = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.all.size;
  }
  get isStopped(): boolean {
    return this.stopped;
  }

  start(partitions: readonly Waitable[], maxWaitMs: number, isEnough: () => boolean): FetchWait {
    const wait = new FetchWait(this.all, partitions, maxWaitMs, this.clock, isEnough);
    if (this.stopped) wait.finish();
    return wait;
  }

  stop(): void {
    this.stopped = true;
    for (const wait of this.all) wait.finish();
  }
}
