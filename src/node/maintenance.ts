import type { Clock, Logger, Timer } from '../env.ts';

export interface Chore {
  readonly name: string;
  /** Asked anew before each turn: the interval may be a dynamic configuration. */
  intervalMs(): number;
  run(): void | Promise<void>;
}

/** What a broker does from time to time: retention, checkpoints, expiry. A chore that fails is logged and comes again. */
export class Maintenance {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly timers = new Map<Chore, Timer>();
  private readonly running = new Set<Promise<void>>();
  private stopped = false;

  constructor(clock: Clock, logger: Logger) {
    this.clock = clock;
    this.logger = logger;
  }

  start(chores: readonly Chore[]): void {
    for (const chore of chores) this.schedule(chore);
  }

  /** Resolves when no chore is under way any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers.values()) timer.cancel();
    await Promise.all(this.running);
  }

  private schedule(chore: Chore): void {
    if (this.stopped) return;
    this.timers.set(
      chore,
      this.clock.after(chore.intervalMs(), () => {
        const turn = this.turn(chore).finally(() => this.running.delete(turn));
        this.running.add(turn);
      }),
    );
  }

  private async turn(chore: Chore): Promise<void> {
    try {
      await chore.run();
    } catch (err) {
      this.logger.error({ err }, `${chore.name} failed`);
    }
    this.schedule(chore);
  }
}
