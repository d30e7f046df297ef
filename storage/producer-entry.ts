/** What a log remembers of one producer (KIP-98): its epoch, its last batches, its open transaction. */

const WINDOW = 5;
const MAX_SEQUENCE = 0x7fff_ffff;
export const NO_SEQUENCE = -1;
export const NO_EPOCH = -1;

export interface ProducerBatch {
  lastSequence: number;
  lastOffset: number;
  /** Last offset less first offset. */
  offsetDelta: number;
  timestampMs: number;
}

/** Sequences count from 0 to 2^31 - 1 and start over. */
export function addToSequence(sequence: number, count: number): number {
  const sum = sequence + count;
  return sum > MAX_SEQUENCE ? sum - MAX_SEQUENCE - 1 : sum;
}

export function firstSequence(batch: ProducerBatch): number {
  const first = batch.lastSequence - batch.offsetDelta;
  return first < 0 ? first + MAX_SEQUENCE + 1 : first;
}

export class ProducerEntry {
  readonly producerId: number;
  epoch = NO_EPOCH;
  coordinatorEpoch = -1;
  lastTimestampMs = -1;
  /** -1 when no transaction is open. */
  transactionFirstOffset = -1;
  /** The last five batches of the present epoch, oldest first. */
  readonly batches: ProducerBatch[] = [];

  constructor(producerId: number) {
    this.producerId = producerId;
  }

  clone(): ProducerEntry {
    const copy = new ProducerEntry(this.producerId);
    copy.epoch = this.epoch;
    copy.coordinatorEpoch = this.coordinatorEpoch;
    copy.lastTimestampMs = this.lastTimestampMs;
    copy.transactionFirstOffset = this.transactionFirstOffset;
    for (const batch of this.batches) copy.batches.push({ ...batch });
    return copy;
  }

  get lastSequence(): number {
    const last = this.batches.at(-1);
    return last === undefined ? NO_SEQUENCE : last.lastSequence;
  }

  setEpoch(epoch: number): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.batches.length = 0;
  }

  addBatch(lastSequence: number, lastOffset: number, offsetDelta: number, timestampMs: number): void {
    // The oldest one's object is used again: an append allocates nothing.
    const oldest = this.batches.length === WINDOW ? this.batches.shift() : undefined;
    const batch = oldest ?? { lastSequence, lastOffset, offsetDelta, timestampMs };
    batch.lastSequence = lastSequence;
    batch.lastOffset = lastOffset;
    batch.offsetDelta = offsetDelta;
    batch.timestampMs = timestampMs;
    this.batches.push(batch);
    this.lastTimestampMs = timestampMs;
  }

  /** The batch among the last five with just these sequences, or null. */
  findDuplicate(epoch: number, sequence: number, lastSequence: number): ProducerBatch | null {
    if (epoch !== this.epoch) return null;
    for (const batch of this.batches) {
      if (batch.lastSequence === lastSequence && firstSequence(batch) === sequence) return batch;
    }
    return null;
  }
}
