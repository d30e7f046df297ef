/** The producer state of one log with its snapshots; read when first needed, since most partitions are idle. */
import { loadProducers } from './load-producers.ts';
import type { ProducerSnapshots } from './producer-snapshot.ts';
import type { ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';

export interface ActiveProducer {
  producerId: number;
  producerEpoch: number;
  lastSequence: number;
  lastTimestampMs: number;
  coordinatorEpoch: number;
  /** -1 when none is open. */
  currentTransactionStartOffset: number;
}

/** Of the log, as it is at the time of the question. */
export interface TrackedLog {
  segments: readonly Segment[];
  logStartOffset: number;
  logEndOffset: number;
  producerIdExpirationMs: number;
  nowMs: number;
}

export class ProducerTracker {
  readonly #snapshots: ProducerSnapshots;
  readonly #describe: () => TrackedLog;
  #state: ProducerState | null;
  /** As last told; a state that is read later is to know it, too. */
  #highWatermark = 0;

  constructor(snapshots: ProducerSnapshots, state: ProducerState | null, describe: () => TrackedLog) {
    this.#snapshots = snapshots;
    this.#state = state;
    this.#describe = describe;
  }

  get state(): ProducerState {
    this.#state ??= this.#load(true);
    return this.#state;
  }

  /** Without reading it for this: null when nobody has wanted it yet. */
  get stateIfLoaded(): ProducerState | null {
    return this.#state;
  }

  /** Transactions whose marker lies below it are stable. */
  onHighWatermark(highWatermark: number): void {
    this.#highWatermark = highWatermark;
    this.#state?.onHighWatermark(highWatermark);
  }

  /** With `clean`, a log without snapshots is taken to know no producer. */
  #load(clean: boolean): ProducerState {
    const log = this.#describe();
    const state = loadProducers({ ...log, snapshots: this.#snapshots, clean }, log.logEndOffset);
    state.onHighWatermark(this.#highWatermark);
    return state;
  }

  /** The log ends earlier now. `knewProducers` says whether there were any at its former end; otherwise there were none before. */
  truncated(knewProducers: boolean): void {
    this.#snapshots.removeAbove(this.#describe().logEndOffset);
    if (knewProducers) this.#state = this.#load(false);
    else this.#state?.clear();
  }

  clear(): void {
    this.state.clear();
    this.#snapshots.removeAll();
  }

  /** A segment that begins at `offset`, the log end or above it, is about to be made. Unless `durable`, the next flush syncs it. */
  writeSnapshot(offset: number, durable: boolean): void {
    this.#snapshots.write(offset, this.state.entries, durable);
  }

  removeSnapshot(offset: number): void {
    this.#snapshots.remove(offset);
  }

  /**
   * Writes the snapshot from which the next start goes on, unless there is one; gives its path, since one that was there need not be
   * durable either. Null where there is none, or nobody has wanted the producers since a clean start.
   */
  close(): string | null {
    const { logEndOffset } = this.#describe();
    if (this.#state === null) return null;
    const newest = this.#snapshots.offsets.at(-1);
    if (logEndOffset <= (newest ?? 0)) return newest === undefined ? null : this.#snapshots.path(newest);
    this.#snapshots.write(logEndOffset, this.#state.entries, false);
    return this.#snapshots.path(logEndOffset);
  }

  describeProducers(): ActiveProducer[] {
    return [...this.state.entries.values()].map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.lastSequence,
      lastTimestampMs: entry.lastTimestampMs,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionStartOffset: entry.transactionFirstOffset,
    }));
  }
}
