/** The real clock and the real random source, for `node.ts` to hand in. */
import { randomBytes, randomInt } from 'node:crypto';
import { METADATA_TOPIC_ID, ZERO_UUID } from '../protocol/uuid.ts';
import type { Clock, Random } from './env.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Ids that Kafka keeps for itself, and those that a command line would take for an option. */
const isReserved = (id: string): boolean => id === ZERO_UUID || id === METADATA_TOPIC_ID || id.startsWith('-');

export const systemRandom: Random = {
  uuid() {
    for (;;) {
      const bytes = randomBytes(16);
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      const id = bytes.toString('base64url');
      if (!isReserved(id)) return id;
    }
  },
  int: (bound) => randomInt(bound),
};
