/** Writes what is left of batches to a segment, many at a time. */
import { sizeBytes } from '../../protocol/records/batch.ts';
import { LogError } from '../log-error.ts';
import type { Segment } from '../segment.ts';
import type { Filtered } from './batch-filter.ts';

/** Positions in an index are int32. */
const MAX_SEGMENT_BYTES = 0x7fff_ffff;

export class SegmentWriter {
  readonly #segment: Segment;
  readonly #indexIntervalBytes: number;
  readonly #out: Buffer;
  #outBytes = 0;
  /** Neighbouring batches that stay as they are, not copied yet. */
  #window: Buffer | null = null;
  #runFrom = 0;
  #runTo = 0;

  constructor(segment: Segment, bufferBytes: number, indexIntervalBytes: number) {
    this.#segment = segment;
    this.#indexIntervalBytes = indexIntervalBytes;
    this.#out = Buffer.allocUnsafeSlow(bufferBytes);
  }

  /** Takes what became of the batch at `at` of `window`, whose bytes have to stay until `endWindow`. */
  add(window: Buffer, at: number, what: Filtered): void {
    if (what === 'keep' && this.#window === window && this.#runTo === at) {
      this.#runTo += sizeBytes(window, at);
      return;
    }
    if (what === 'drop') return;
    this.endWindow();
    if (what === 'keep') {
      this.#window = window;
      this.#runFrom = at;
      this.#runTo = at + sizeBytes(window, at);
    } else {
      this.#put(what);
    }
  }

  endWindow(): void {
    if (this.#window === null) return;
    this.#put(this.#window.subarray(this.#runFrom, this.#runTo));
    this.#window = null;
  }

  /** Writes all that was taken. */
  flush(): void {
    this.endWindow();
    this.#writeOut();
  }

  #put(batches: Buffer): void {
    if (this.#outBytes + batches.length > this.#out.length) this.#writeOut();
    if (batches.length >= this.#out.length) {
      this.#write(batches);
      return;
    }
    batches.copy(this.#out, this.#outBytes);
    this.#outBytes += batches.length;
  }

  #writeOut(): void {
    if (this.#outBytes > 0) this.#write(this.#out.subarray(0, this.#outBytes));
    this.#outBytes = 0;
  }

  #write(batches: Buffer): void {
    if (this.#segment.sizeBytes + batches.length > MAX_SEGMENT_BYTES) {
      throw new LogError(
        'KAFKA_STORAGE_ERROR',
        `${this.#segment.log.path} would be larger than ${MAX_SEGMENT_BYTES} bytes`,
      );
    }
    this.#segment.append(batches, this.#indexIntervalBytes);
  }
}
