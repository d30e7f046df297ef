/**
 * The newest bytes of a log's active segment, kept in memory while somebody reads at the end, so that a fetch there needs no
 * file. A log that nobody tails keeps nothing: copying what nobody reads costs a producer for no gain. All logs share one
 * bound; what was longest without a new chunk goes first.
 *
 * A chunk is written once and never reused, so that slices handed out stay valid.
 */

/** A larger append gains nothing over reading the file. */
const MAX_APPEND_BYTES = 65_536;
const FIRST_CHUNK_BYTES = 4096;
const MAX_CHUNK_BYTES = 262_144;
const MAX_TAIL_BYTES = 1_048_576;
/** A read this near to the end counts as tailing. */
export const TAIL_REACH_BYTES = MAX_TAIL_BYTES;
/** Appends that pass with no reader at the end before the tail is given up. */
const PATIENCE_BYTES = 262_144;

interface Chunk {
  readonly buf: Buffer;
  /** Position in the segment of the chunk's first byte. */
  readonly start: number;
  used: number;
}

/** The memory that all tails may take. */
export class TailBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;
  /** Those that hold something; the one that grew last is the last. */
  readonly #tails = new Set<Tail>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  claim(tail: Tail, bytes: number): void {
    this.#usedBytes += bytes;
    this.#tails.delete(tail);
    this.#tails.add(tail);
    for (const other of this.#tails) {
      while (this.#usedBytes > this.#limitBytes && other.dropOldest());
      if (this.#usedBytes <= this.#limitBytes) return;
    }
  }

  giveBack(tail: Tail, bytes: number, nothingLeft: boolean): void {
    this.#usedBytes -= bytes;
    if (nothingLeft) this.#tails.delete(tail);
  }
}

export class Tail {
  readonly #budget: TailBudget;
  #chunks: Chunk[] = [];
  #sizeBytes = 0;
  #nextChunkBytes = FIRST_CHUNK_BYTES;
  #patienceBytes = 0;

  constructor(budget: TailBudget) {
    this.#budget = budget;
  }

  /** Somebody reads at the end: keep what comes. */
  want(): void {
    this.#patienceBytes = PATIENCE_BYTES;
  }

  /** `data` has been written at `position`, the end of the segment. */
  append(data: Buffer, position: number): void {
    if (this.#patienceBytes <= 0) return;
    this.#patienceBytes -= data.length;
    if (this.#patienceBytes <= 0 || data.length > MAX_APPEND_BYTES) {
      this.clear();
      return;
    }
    let chunk = this.#chunks.at(-1);
    if (chunk !== undefined && chunk.start + chunk.used !== position) {
      this.clear();
      chunk = undefined;
    }
    if (chunk === undefined || chunk.used + data.length > chunk.buf.length)
      chunk = this.#newChunk(data.length, position);
    data.copy(chunk.buf, chunk.used);
    chunk.used += data.length;
  }

  /** The bytes from `position` to `end` (exclusive) when memory holds them in one piece. */
  slice(position: number, end: number): Buffer | null {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i];
      if (position < chunk.start) continue;
      const from = position - chunk.start;
      return end - chunk.start <= chunk.used ? chunk.buf.subarray(from, end - chunk.start) : null;
    }
    return null;
  }

  /** Forgets everything: the segment was rolled or truncated. */
  clear(): void {
    this.#chunks = [];
    this.#budget.giveBack(this, this.#sizeBytes, true);
    this.#sizeBytes = 0;
    this.#nextChunkBytes = FIRST_CHUNK_BYTES;
  }

  /** For the budget; false when there is nothing to drop. */
  dropOldest(): boolean {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return false;
    this.#sizeBytes -= chunk.buf.length;
    this.#budget.giveBack(this, chunk.buf.length, this.#chunks.length === 0);
    return true;
  }

  #newChunk(atLeastBytes: number, start: number): Chunk {
    const bytes = Math.max(atLeastBytes, this.#nextChunkBytes);
    this.#nextChunkBytes = Math.min(MAX_CHUNK_BYTES, this.#nextChunkBytes * 2);
    while (this.#sizeBytes + bytes > MAX_TAIL_BYTES) this.dropOldest();
    const chunk: Chunk = { buf: Buffer.allocUnsafeSlow(bytes), start, used: 0 };
    this.#chunks.push(chunk);
    this.#sizeBytes += bytes;
    this.#budget.claim(this, bytes);
    return chunk;
  }
}
