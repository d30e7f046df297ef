import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from './brokers.ts';

/** A topic or group name that no other test uses; tests share one broker. */
export const uniqueName = (prefix: string): string => `${prefix}-${randomBytes(4).toString('hex')}`;

/** Calls check until it neither throws nor returns false or undefined; then gives its value. Throws the last failure. */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 30_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await check();
      if (value !== undefined && value !== null && value !== false) return value;
      failure = new Error(`still ${String(value)} after ${timeoutMs} ms: ${check.toString()}`);
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) throw failure;
    await sleep(50);
  }
}

/**
 * For what an admin has just changed. Apache Kafka answers when its controller has the change, and its broker learns of it a
 * moment later. odradek's broker knows at once, and is held to it.
 */
export const onceKnown = (broker: Broker, check: () => Promise<void>): Promise<void> =>
  broker.name === 'kafka' ? eventually(() => check().then(() => true)).then(() => {}) : check();

/**
 * A time in the near past, in whole seconds, for messages that carry their own time. Older ones would fall to retention
 * (7 days) while a test runs.
 */
export const pastMs = Math.floor(Date.now() / 1000 - 3600) * 1000;

/** Values made by call, 0 to count - 1. */
export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
