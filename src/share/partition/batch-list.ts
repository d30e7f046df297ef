import type { InFlightBatch } from './in-flight-batch.ts';

/** Batches by their first offsets, without overlaps; there may be gaps between them. */
export class BatchList {
  private readonly sorted: InFlightBatch[] = [];

  get isEmpty(): boolean {
    return this.sorted.length === 0;
  }
  get first(): InFlightBatch | undefined {
    return this.sorted[0];
  }
  get last(): InFlightBatch | undefined {
    return this.sorted.at(-1);
  }
  [Symbol.iterator](): IterableIterator<InFlightBatch> {
    return this.sorted[Symbol.iterator]();
  }

  /** The last batch that begins at `offset` or before. */
  floor(offset: number): InFlightBatch | undefined {
    return this.sorted[this.countUpTo(offset) - 1];
  }

  /** The first batch that begins after `offset`. */
  higher(offset: number): InFlightBatch | undefined {
    return this.sorted[this.countUpTo(offset)];
  }

  /** Those that begin in [from, to]; a copy, so that the list may change meanwhile. */
  between(from: number, to: number): InFlightBatch[] {
    return this.sorted.slice(this.countUpTo(from - 1), this.countUpTo(to));
  }

  add(batch: InFlightBatch): void {
    const at = this.countUpTo(batch.firstOffset);
    if (at === this.sorted.length) this.sorted.push(batch);
    else this.sorted.splice(at, 0, batch);
  }

  /** Removes those that begin before `offset`. */
  removeBelow(offset: number): void {
    this.sorted.splice(0, this.countUpTo(offset - 1));
  }

  clear(): void {
    this.sorted.length = 0;
  }

  /** How many begin at `offset` or before. */
  private countUpTo(offset: number): number {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle].firstOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
