/** What a compaction tells its thread while that works and reads no messages: a few bytes of memory that both see. */

/** Int32: 1 when nothing of the work is wanted any more. */
const STOP = 0;
/** Float64: read and written together, bytes a second. */
const RATE = 1;

export interface ThreadControl {
  readonly memory: SharedArrayBuffer;
  readonly isStopped: boolean;
  maxBytesPerSecond: number;
  stop(): void;
  /** Blocks the calling thread until `stop`, and for no longer than that (ms). */
  waitForStop(timeoutMs: number): void;
}

export function threadControl(memory = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT)): ThreadControl {
  const words = new Int32Array(memory);
  const doubles = new Float64Array(memory);
  return {
    memory,
    get isStopped() {
      return Atomics.load(words, STOP) === 1;
    },
    get maxBytesPerSecond() {
      return doubles[RATE];
    },
    set maxBytesPerSecond(rate) {
      doubles[RATE] = rate;
    },
    stop() {
      Atomics.store(words, STOP, 1);
      Atomics.notify(words, STOP);
    },
    waitForStop: (timeoutMs) => void Atomics.wait(words, STOP, 0, timeoutMs),
  };
}
