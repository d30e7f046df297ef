/** When a compaction has to let others run, and how much it may read and write (log.cleaner.io.max.bytes.per.second). */

/** What a pacer needs of the world. */
export interface PacerPorts {
  /** Milliseconds, never going back. */
  monotonicMs(): number;
  /** Resolves when what waits in the event loop has had its turn. */
  yieldLoop(): Promise<void>;
  sleep(delayMs: number): Promise<void>;
}

/** The loop is held no longer than this, a batch or two aside. */
const SLICE_MS = 1;
/** A pause in the work is made up for by a burst of at most this much of the rate. */
const BURST_MS = 300;
/** After this long a sleeper looks whether the rate is still the same, and the work still wanted. */
const MAX_SLEEP_MS = 300;

export class Pacer {
  readonly #ports: PacerPorts;
  readonly #maxBytesPerSecond: () => number;
  #sliceStartMs: number;
  /** What was read and written and is not paid for by time yet; below 0 there is room for a burst. */
  #owedBytes = Number.NEGATIVE_INFINITY;
  #owedAtMs: number;

  /** `maxBytesPerSecond` is asked anew each time: it may change while a compaction runs. */
  constructor(ports: PacerPorts, maxBytesPerSecond: () => number) {
    this.#ports = ports;
    this.#maxBytesPerSecond = maxBytesPerSecond;
    this.#sliceStartMs = ports.monotonicMs();
    this.#owedAtMs = this.#sliceStartMs;
  }

  /**
   * `ioBytes` more have been read or written. Null when the work may go on at once; otherwise a pause, after which more of it may be due:
   * ask again with 0 bytes.
   */
  spend(ioBytes: number): Promise<void> | null {
    this.#payUpToNow();
    this.#owedBytes += ioBytes;
    if (this.#owedBytes > 0) {
      const dueMs = (this.#owedBytes * 1000) / this.#maxBytesPerSecond();
      return this.#pause(this.#ports.sleep(Math.min(dueMs, MAX_SLEEP_MS)));
    }
    return this.#ports.monotonicMs() - this.#sliceStartMs < SLICE_MS ? null : this.#pause(this.#ports.yieldLoop());
  }

  #payUpToNow(): void {
    const nowMs = this.#ports.monotonicMs();
    const bytesPerMs = this.#maxBytesPerSecond() / 1000;
    const owed = this.#owedBytes - (nowMs - this.#owedAtMs) * bytesPerMs;
    this.#owedBytes = Math.max(owed, -BURST_MS * bytesPerMs);
    this.#owedAtMs = nowMs;
  }

  async #pause(pause: Promise<void>): Promise<void> {
    await pause;
    this.#sliceStartMs = this.#ports.monotonicMs();
  }
}
