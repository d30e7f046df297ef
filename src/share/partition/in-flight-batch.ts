import { RecordState } from '../state-batch.ts';
import { Delivery } from './delivery.ts';

/**
 * Records in a row that were acquired together: as one as long as they stay together, else each by itself. Both ends included.
 */
export class InFlightBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Null once records are looked at one by one. */
  whole: Delivery | null;
  private records: Delivery[] = [];

  constructor(firstOffset: number, lastOffset: number, whole: Delivery) {
    this.firstOffset = firstOffset;
    this.lastOffset = lastOffset;
    this.whole = whole;
  }

  /** Acquired up to `lastAcquired`; what lies behind was read with it and has not been delivered yet. */
  static partly(firstOffset: number, lastOffset: number, lastAcquired: number, acquired: Delivery): InFlightBatch {
    const batch = new InFlightBatch(firstOffset, lastOffset, acquired);
    batch.split();
    for (let offset = lastAcquired + 1; offset <= lastOffset; offset++) {
      batch.records[offset - firstOffset] = new Delivery(RecordState.AVAILABLE, acquired.deliveryCount - 1);
    }
    return batch;
  }

  get size(): number {
    return this.lastOffset - this.firstOffset + 1;
  }

  isWithin(firstOffset: number, lastOffset: number): boolean {
    return this.firstOffset >= firstOffset && this.lastOffset <= lastOffset;
  }

  /** From now on each record stands by itself. */
  split(): void {
    if (this.whole === null) return;
    const { whole } = this;
    this.records = Array.from({ length: this.size }, () => whole.copy());
    this.whole = null;
  }

  /** The delivery that the record at `offset` is part of. */
  at(offset: number): Delivery {
    return this.whole ?? this.records[offset - this.firstOffset];
  }

  /** Each delivery with the records it stands for, clipped to [from, to]; `from` and `to` may lie outside. */
  *deliveries(
    from: number = this.firstOffset,
    to: number = this.lastOffset,
  ): IterableIterator<[delivery: Delivery, firstOffset: number, lastOffset: number]> {
    const [first, last] = [Math.max(from, this.firstOffset), Math.min(to, this.lastOffset)];
    if (first > last) return;
    if (this.whole !== null) {
      yield [this.whole, first, last];
      return;
    }
    for (let offset = first; offset <= last; offset++) yield [this.records[offset - this.firstOffset], offset, offset];
  }
}
