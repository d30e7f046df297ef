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

export class Pacer {
  readonly #ports: PacerPorts;
  readonly #maxBytesPerSecond: () => number;
  #sliceStartMs: number;
  /** When all that was read and written so far is paid for. */
  #paidAtMs = Number.NEGATIVE_INFINITY;

  /** `maxBytesPerSecond` is asked anew each time: it may change while a compaction runs. */
  constructor(ports: PacerPorts, maxBytesPerSecond: () => number) {
    this.#ports = ports;
    this.#maxBytesPerSecond = maxBytesPerSecond;
    this.#sliceStartMs = ports.monotonicMs();
  }

  /** `ioBytes` more have been read or written. Null when the work may go on at once, otherwise when it may. */
  spend(ioBytes: number): Promise<void> | null {
    const nowMs = this.#ports.monotonicMs();
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - BURST_MS) + (ioBytes * 1000) / this.#maxBytesPerSecond();
    if (this.#paidAtMs > nowMs) return this.#pause(this.#ports.sleep(this.#paidAtMs - nowMs));
    return nowMs - this.#sliceStartMs < SLICE_MS ? null : this.#pause(this.#ports.yieldLoop());
  }

  async #pause(pause: Promise<void>): Promise<void> {
    await pause;
    this.#sliceStartMs = this.#ports.monotonicMs();
  }
}
