/**
 * The newest offset of each key in the part of a log that is being compacted: an open-addressing hash table in one piece of memory, 24 bytes
 * an entry, which knows keys by their 128-bit hash only (Kafka: SkimpyOffsetMap, with MD5).
 *
 *   0  hash, 4 x int32      16  offset + 1, float64; 0: the slot is empty
 */
import { type HashSecret, KeyHasher } from './key-hash.ts';

export const ENTRY_BYTES = 24;
const ENTRY_WORDS = 6;
const ENTRY_DOUBLES = 3;
const TWO_32 = 0x1_0000_0000;

export class OffsetMap {
  readonly capacity: number;
  /** All records below or at this offset have been looked at; -1 before the first. */
  latestOffset = -1;
  #size = 0;
  readonly #slots: number;
  readonly #slotsPerHash: number;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #hasher: KeyHasher;

  /** Takes at most `capacity` keys; the table has that many slots divided by `loadFactor` (0 to 1). */
  constructor(capacity: number, loadFactor: number, secret: HashSecret) {
    this.capacity = capacity;
    // One slot stays empty in any case, so that every search ends.
    this.#slots = Math.max(Math.ceil(capacity / loadFactor), capacity + 1);
    this.#slotsPerHash = this.#slots / TWO_32;
    const memory = new ArrayBuffer(this.#slots * ENTRY_BYTES);
    this.#words = new Int32Array(memory);
    this.#doubles = new Float64Array(memory);
    this.#hasher = new KeyHasher(secret);
  }

  get size(): number {
    return this.#size;
  }

  get memoryBytes(): number {
    return this.#words.byteLength;
  }

  /** Notes that `offset` is the newest one of the key. False when the map is full; then nothing is noted. */
  put(view: DataView, keyAt: number, keyBytes: number, offset: number): boolean {
    if (this.#size >= this.capacity) return false;
    const slot = this.#find(view, keyAt, keyBytes);
    const double = slot * ENTRY_DOUBLES + 2;
    if (this.#doubles[double] === 0) this.#claim(slot);
    this.#doubles[double] = offset + 1;
    return true;
  }

  /** The newest offset of the key; -1 when the map does not have it. */
  get(view: DataView, keyAt: number, keyBytes: number): number {
    return this.#doubles[this.#find(view, keyAt, keyBytes) * ENTRY_DOUBLES + 2] - 1;
  }

  #claim(slot: number): void {
    const words = this.#words;
    const at = slot * ENTRY_WORDS;
    words[at] = this.#hasher.word0;
    words[at + 1] = this.#hasher.word1;
    words[at + 2] = this.#hasher.word2;
    words[at + 3] = this.#hasher.word3;
    this.#size += 1;
  }

  /** The slot of the key, or the empty one where it belongs. */
  #find(view: DataView, keyAt: number, keyBytes: number): number {
    const hasher = this.#hasher;
    hasher.hash(view, keyAt, keyBytes);
    const { word0, word1, word2, word3 } = hasher;
    const words = this.#words;
    const doubles = this.#doubles;
    let slot = Math.floor((word0 >>> 0) * this.#slotsPerHash);
    while (doubles[slot * ENTRY_DOUBLES + 2] !== 0) {
      const at = slot * ENTRY_WORDS;
      if (words[at] === word0 && words[at + 1] === word1 && words[at + 2] === word2 && words[at + 3] === word3) break;
      slot += 1;
      if (slot === this.#slots) slot = 0;
    }
    return slot;
  }
}
