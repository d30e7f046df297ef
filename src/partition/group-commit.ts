import type { Log } from '../../storage/index.ts';

interface Waiting {
  readonly endOffset: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * The high watermark of a partition whose only replica is here: the log end, but for flush.messages, which wants records on disk before they
 * count. Then appends wait for one flush together, and those that come meanwhile for the next (group commit): one fdatasync serves
 * as many producers as there are, where Apache Kafka makes one for each append.
 */
export class GroupCommit {
  private readonly log: Log;
  private readonly onAdvance: () => void;
  /** Where the high watermark stands while records above it wait for a flush; null while none do. */
  private heldAt: number | null = null;
  private flushing = false;
  private waiting: Waiting[] = [];

  /** `onAdvance` is called when the high watermark has moved by a flush. */
  constructor(log: Log, onAdvance: () => void) {
    this.log = log;
    this.onAdvance = onAdvance;
    // What a process that was killed left in the page cache counts only when it is flushed, a batch that is sent again included.
    if (log.isFlushDue) {
      this.heldAt = log.recoveryPoint;
      this.flush();
    }
  }

  /** Nobody waits for a flush. */
  get isSettled(): boolean {
    return this.heldAt === null;
  }

  get highWatermark(): number {
    return this.heldAt ?? this.log.logEndOffset;
  }

  /** Records from `firstOffset` on are in the log; true when they count already. */
  appended(firstOffset: number): boolean {
    if (this.heldAt !== null) return false;
    if (!this.log.isFlushDue) return true;
    this.heldAt = firstOffset;
    if (!this.flushing) this.flush();
    return false;
  }

  /** When the records below `endOffset` count; null when they do. Rejects with LogError when they could not be flushed. */
  whenCommitted(endOffset: number): Promise<void> | null {
    if (this.highWatermark >= endOffset) return null;
    return new Promise((resolve, reject) => {
      this.waiting.push({ endOffset, resolve, reject });
    });
  }

  private async flush(): Promise<void> {
    this.flushing = true;
    try {
      while (this.heldAt !== null) {
        const flushedTo = this.log.logEndOffset;
        await this.log.flush(flushedTo);
        this.heldAt = this.log.isFlushDue ? flushedTo : null;
        this.advanced();
      }
    } catch (error) {
      for (const { reject } of this.waiting.splice(0)) reject(error);
    }
    this.flushing = false;
  }

  private advanced(): void {
    const { highWatermark } = this;
    const served = this.waiting.filter(({ endOffset }) => endOffset <= highWatermark);
    this.waiting = this.waiting.filter(({ endOffset }) => endOffset > highWatermark);
    this.onAdvance();
    for (const { resolve } of served) resolve();
  }
}
