import type { Clock, Timer } from '../env.ts';

/** How a state machine asks to be called again: it names the timer and says what is to happen, and has no clock of its own. */
export interface TimerSink<E> {
  /** Sets the timer `key`, in place of one that is set already. */
  schedule(key: string, delayMs: number, event: E): void;
  /** Sets a timer that runs already anew, with the event it has; false where there is none. */
  extend(key: string, delayMs: number): boolean;
  /** Whether the timer runs, or has come and not been acted upon. */
  has(key: string): boolean;
  cancel(key: string): void;
}

interface Entry<E> {
  readonly key: string;
  event: E;
  deadlineMs: number;
  /** When the clock will call: never after the deadline, or RANG where it has called. */
  armedForMs: number;
  timer: Timer;
}

/**
 * Timers by key over one clock. Most timers here are session timeouts that every heartbeat moves: moving one forward only
 * notes the new deadline, and the clock is asked again when the old one has come.
 */
export class Timers<E> implements TimerSink<E> {
  private readonly clock: Clock;
  private readonly due: (event: E, claim: () => boolean) => void;
  private readonly entries = new Map<string, Entry<E>>();

  /**
   * `due` is told of a timer that has come. It may act later, and then must `claim` first, which is false when the timer
   * was cancelled or set anew in the meantime.
   */
  constructor(clock: Clock, due: (event: E, claim: () => boolean) => void) {
    this.clock = clock;
    this.due = due;
  }

  schedule(key: string, delayMs: number, event: E): void {
    this.cancel(key);
    const deadlineMs = this.clock.monotonicMs() + delayMs;
    const entry: Entry<E> = { key, event, deadlineMs, armedForMs: deadlineMs, timer: NEVER };
    entry.timer = this.clock.after(delayMs, () => this.rang(entry));
    this.entries.set(key, entry);
  }

  extend(key: string, delayMs: number): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    const deadlineMs = this.clock.monotonicMs() + delayMs;
    if (deadlineMs < entry.armedForMs) this.schedule(key, delayMs, entry.event);
    else entry.deadlineMs = deadlineMs;
    return true;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  cancel(key: string): void {
    this.entries.get(key)?.timer.cancel();
    this.entries.delete(key);
  }

  cancelAll(): void {
    for (const entry of this.entries.values()) entry.timer.cancel();
    this.entries.clear();
  }

  get size(): number {
    return this.entries.size;
  }

  private rang(entry: Entry<E>): void {
    const leftMs = entry.deadlineMs - this.clock.monotonicMs();
    if (leftMs > 0) {
      entry.armedForMs = entry.deadlineMs;
      entry.timer = this.clock.after(leftMs, () => this.rang(entry));
      return;
    }
    entry.armedForMs = RANG;
    this.due(entry.event, () => {
      if (this.entries.get(entry.key) !== entry) return false;
      this.entries.delete(entry.key);
      return true;
    });
  }
}

/** Later than any deadline, so that moving a timer that has rung sets a new one. */
const RANG = Number.POSITIVE_INFINITY;
const NEVER: Timer = { cancel: () => undefined };
