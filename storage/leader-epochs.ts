/**
 * leader-epoch-checkpoint: at which offset each leader epoch began (KIP-101). Both rise from entry to entry.
 *
 * A change stays in memory until the log is flushed, closed or checkpointed. That is safe: the entries of records above the recovery
 * point are found again in the batches, and an epoch in which nothing was written matters to nobody.
 */
import { checkpointText, readCheckpoint, wholeNumber } from './checkpoints.ts';
import type { Disk } from './disk.ts';

const FILE = 'leader-epoch-checkpoint';
export const UNDEFINED_EPOCH = -1;
export const UNDEFINED_OFFSET = -1;

export interface EpochStart {
  epoch: number;
  startOffset: number;
}

export class LeaderEpochs {
  readonly #dir: string;
  #entries: EpochStart[];
  #dirty: boolean;
  #fileExists: boolean;

  /** With `rebuilt`, these are to take the place of what the file says. Throws MalformedCheckpoint, without them. */
  constructor(disk: Disk, dir: string, fileExists: boolean, rebuilt: readonly EpochStart[] | null = null) {
    this.#dir = dir;
    this.#fileExists = fileExists;
    this.#dirty = rebuilt !== null;
    const found = (): EpochStart[] => (fileExists ? read(disk, `${dir}/${FILE}`) : []);
    this.#entries = rebuilt === null ? found() : [...rebuilt];
  }

  get entries(): readonly EpochStart[] {
    return this.#entries;
  }

  /** -1 when there is none. */
  get latest(): number {
    const last = this.#entries.at(-1);
    return last === undefined ? UNDEFINED_EPOCH : last.epoch;
  }

  /** Notes that `epoch` begins at `startOffset`; what contradicts it goes. */
  assign(epoch: number, startOffset: number): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.epoch === epoch && last.startOffset <= startOffset) return;
    while (this.#entries.length > 0 && conflicts(this.#entries[this.#entries.length - 1], epoch, startOffset)) {
      this.#entries.pop();
    }
    this.#entries.push({ epoch, startOffset });
    this.#dirty = true;
  }

  /** The epoch of the record at `offset`; -1 when unknown. */
  epochForOffset(offset: number): number {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? UNDEFINED_EPOCH;
  }

  /**
   * Where `epoch` ended, with the epoch that the answer is for: the largest known one that is not above it. -1 and -1 when it is
   * unknown (OffsetForLeaderEpoch, KIP-279).
   */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    if (epoch !== UNDEFINED_EPOCH && epoch === this.latest) return { epoch, endOffset: logEndOffset };
    const next = epoch === UNDEFINED_EPOCH ? undefined : this.#entries.find((entry) => entry.epoch > epoch);
    if (next === undefined) return { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_OFFSET };
    const floor = this.#entries.findLast((entry) => entry.epoch <= epoch);
    return { epoch: floor?.epoch ?? epoch, endOffset: next.startOffset };
  }

  /** The log ends at `endOffset` now. */
  truncateFromEnd(endOffset: number): void {
    const kept = this.#entries.filter((entry) => entry.startOffset < endOffset);
    if (kept.length === this.#entries.length) return;
    this.#entries = kept;
    this.#dirty = true;
  }

  /** The log begins at `startOffset` now: the epoch that holds it begins there, earlier ones go. */
  truncateFromStart(startOffset: number): void {
    const holder = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset);
    if (holder < 0 || (holder === 0 && this.#entries[0].startOffset === startOffset)) return;
    const first = { epoch: this.#entries[holder].epoch, startOffset };
    this.#entries = [first, ...this.#entries.slice(holder + 1)];
    this.#dirty = true;
  }

  clear(): void {
    if (this.#entries.length === 0) return;
    this.#entries = [];
    this.#dirty = true;
  }

  /**
   * What is to be written, if anything has changed; taken as written. An epoch in which nothing was written is no reason to make the file:
   * the next leader has a new epoch anyway.
   */
  takeChange(logEndOffset: number): { path: string; text: string } | null {
    if (!this.#dirty) return null;
    if (!this.#fileExists && this.#entries.every((entry) => entry.startOffset >= logEndOffset)) return null;
    this.#dirty = false;
    this.#fileExists = true;
    const lines = this.#entries.map((entry) => `${entry.epoch} ${entry.startOffset}`);
    return { path: `${this.#dir}/${FILE}`, text: checkpointText(lines) };
  }
}

export const isLeaderEpochFile = (name: string): boolean => name === FILE;

function conflicts(entry: EpochStart, epoch: number, startOffset: number): boolean {
  return entry.epoch >= epoch || entry.startOffset >= startOffset;
}

function read(disk: Disk, path: string): EpochStart[] {
  return (readCheckpoint(disk, path, 2) ?? []).map(([epoch, startOffset]) => ({
    epoch: wholeNumber(path, epoch),
    startOffset: wholeNumber(path, startOffset),
  }));
}
