/** When the metadata is due for a snapshot (KIP-630, Kafka's SnapshotGenerator). */
export interface SnapshotLimits {
  /** metadata.log.max.record.bytes.between.snapshots. */
  readonly maxBytes: number;
  /** metadata.log.max.snapshot.interval.ms; 0: time does not count. */
  readonly maxIntervalMs: number;
}

export class SnapshotSchedule {
  /** Of the log since the last snapshot. */
  private bytes = 0;
  private lastMs: number;

  constructor(nowMs: number) {
    this.lastMs = nowMs;
  }

  appended(sizeBytes: number): void {
    this.bytes += sizeBytes;
  }

  /** Without anything new there is nothing to do, however long it has been. */
  isDue(nowMs: number, { maxBytes, maxIntervalMs }: SnapshotLimits): boolean {
    if (this.bytes === 0) return false;
    return this.bytes >= maxBytes || (maxIntervalMs > 0 && nowMs - this.lastMs >= maxIntervalMs);
  }

  /** A snapshot begins: what is appended from now on counts for the next. */
  begun(nowMs: number): void {
    this.bytes = 0;
    this.lastMs = nowMs;
  }
}
