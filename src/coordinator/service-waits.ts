import type { Clock } from '../env.ts';

/** Those who wait until a partition's coordinator serves. */
export class ServiceWaits {
  private readonly clock: Clock;
  private readonly waiting = new Map<number, Set<(isServed: boolean) => void>>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** True when the partition is served, false when time is up. */
  wait(partition: number, timeoutMs: number): Promise<boolean> {
    const waiting = this.waiting.get(partition) ?? new Set();
    this.waiting.set(partition, waiting);
    return new Promise((resolve) => {
      const over = (isServed: boolean) => {
        timeout.cancel();
        waiting.delete(over);
        resolve(isServed);
      };
      const timeout = this.clock.after(timeoutMs, () => over(false));
      waiting.add(over);
    });
  }

  served(partition: number): void {
    for (const over of [...(this.waiting.get(partition) ?? [])]) over(true);
  }

  /** Nobody will be served any more. */
  close(): void {
    for (const waiting of this.waiting.values()) for (const over of [...waiting]) over(false);
  }
}
