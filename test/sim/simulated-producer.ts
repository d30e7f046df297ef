/** Producers that keep to the protocol: an unanswered batch is sent again, unchanged, before anything else. */
import { transactionMarkerBatch } from '../../protocol/records/control.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

const MAX_VALUE_BYTES = 200;
/** More than two sectors, so that one can be missing without any header showing that. */
const MAX_LARGE_VALUE_BYTES = 1200;

/** Without keys with `keys` 0; otherwise each record has one of so many keys, and may be a tombstone. */
export function randomBatch(
  random: SeededRandom,
  nowMs: number,
  keys: number,
  header: Parameters<typeof encodeBatch>[1] = {},
): Buffer {
  const count = 1 + random.int(3);
  const timestamp = nowMs - random.int(50);
  const records = Array.from({ length: count }, (_, i) => {
    const value = Buffer.alloc(random.int(random.int(4) === 0 ? MAX_VALUE_BYTES : 40), random.int(256));
    if (keys === 0) return { value, timestamp: timestamp + i };
    const key = Buffer.from(`k${random.int(keys)}`);
    return { key, value: random.int(5) === 0 ? null : value, timestamp: timestamp + i };
  });
  return encodeBatch(records, header);
}

/** One record without a key. */
const largeBatch: typeof randomBatch = (random, timestamp, _keys, header) => {
  const value = Buffer.alloc(1 + random.int(MAX_LARGE_VALUE_BYTES), 1 + random.int(255));
  return encodeBatch([{ value, timestamp }], header);
};

export class SimulatedProducer {
  readonly id: number;
  readonly #isTransactional: boolean;
  readonly #keys: number;
  #epoch = 0;
  #sequence = 0;
  #openRecords = 0;
  /** Sent and not answered. */
  #unanswered: Buffer | null = null;

  constructor(id: number, isTransactional: boolean, keys: number) {
    this.id = id;
    this.#keys = keys;
    this.#isTransactional = isTransactional;
  }

  /** What to send next, a fresh copy each time. */
  next(random: SeededRandom, nowMs: number): { batch: Buffer; isMarker: boolean } {
    if (this.#unanswered === null && this.#openRecords > 0 && random.int(3) === 0) {
      return { batch: this.#marker(random, nowMs), isMarker: true };
    }
    const anyBatch = this.#keys === 0 && random.int(8) === 0 ? largeBatch : randomBatch;
    this.#unanswered ??= anyBatch(random, nowMs, this.#keys, {
      producerId: this.id,
      producerEpoch: this.#epoch,
      baseSequence: this.#sequence,
      transactional: this.#isTransactional,
    });
    return { batch: Buffer.from(this.#unanswered), isMarker: false };
  }

  #marker(random: SeededRandom, timestampMs: number): Buffer {
    const producer = { producerId: this.id, producerEpoch: this.#epoch };
    return transactionMarkerBatch({ ...producer, commit: random.int(2) === 0, coordinatorEpoch: 0, timestampMs });
  }

  answered(isMarker: boolean): void {
    if (isMarker) {
      this.#openRecords = 0;
      return;
    }
    const batch = this.#unanswered as Buffer;
    this.#sequence += batch.readInt32BE(57);
    if (this.#isTransactional) this.#openRecords += 1;
    this.#unanswered = null;
  }

  /** Acknowledged records may be gone, so the producer starts a new epoch (a transactional one first ends what it has begun). */
  startOver(): void {
    this.#epoch += 1;
    this.#sequence = 0;
    this.#unanswered = null;
    this.#openRecords = 0;
  }
}
