/**
 * The ports through which the outside world comes in (DESIGN decision 7). `node.ts` hands in the real ones; a test or a
 * simulation hands in others. Nothing below `node.ts` reads the clock or the random source of the process.
 */

/** A timer that can be taken back. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Monotonic time in milliseconds, for measuring and for timeouts. */
  monotonicMs(): number;
  /** Runs `task` once, `delayMs` from now. */
  after(delayMs: number, task: () => void): Timer;
}

export interface Random {
  /** A fresh version 4 UUID as Kafka prints it: 22 characters of unpadded base64url, never one of the reserved ones. */
  uuid(): string;
  /** A whole number in [0, bound). */
  int(bound: number): number;
}

/** The part of pino's interface that odradek uses; a test hands in a collecting one. */
export interface Logger {
  /** pino's name of the lowest level that is written; may be set. */
  level: string;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}
