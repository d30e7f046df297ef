/**
 * Chaskey (Mouha et al., SAC 2014; ISO/IEC 29192-6) with 8 rounds: a keyed 128-bit hash of a record's key. Made for 32-bit processors, and
 * thus for a language whose fast integers have 32 bits. Why a keyed one: docs/decisions/0005-compaction-key-hash.md.
 */

/** 128 random bits, as four int32. */
export type HashSecret = readonly [number, number, number, number];

const BLOCK_BYTES = 16;
const ROUNDS = 8;

/** `hash` leaves its result in the four words, so that nothing is allocated for a key. */
export class KeyHasher {
  word0 = 0;
  word1 = 0;
  word2 = 0;
  word3 = 0;
  readonly #secret: Int32Array;
  /** What the last block is mixed with: the first where it is whole, the second where it is padded. */
  readonly #wholeKey: Int32Array;
  readonly #paddedKey: Int32Array;
  readonly #padded = new DataView(new ArrayBuffer(BLOCK_BYTES));

  constructor(secret: HashSecret) {
    this.#secret = Int32Array.from(secret);
    this.#wholeKey = doubled(this.#secret);
    this.#paddedKey = doubled(this.#wholeKey);
  }

  /** Of the `length` bytes of `view` from `at` on. */
  hash(view: DataView, at: number, length: number): void {
    const secret = this.#secret;
    this.word0 = secret[0];
    this.word1 = secret[1];
    this.word2 = secret[2];
    this.word3 = secret[3];
    let left = length;
    let position = at;
    for (; left > BLOCK_BYTES; left -= BLOCK_BYTES, position += BLOCK_BYTES) this.#absorb(view, position, NO_KEY);
    if (left === BLOCK_BYTES) this.#absorb(view, position, this.#wholeKey);
    else this.#absorb(this.#pad(view, position, left), 0, this.#paddedKey);
  }

  /** The last bytes, fewer than a block, then a one, then zeros. */
  #pad(view: DataView, at: number, length: number): DataView {
    const padded = this.#padded;
    const wholeWords = length & ~3;
    for (let i = 0; i < wholeWords; i += 4) padded.setInt32(i, view.getInt32(at + i));
    let word = 1;
    for (let i = length - 1; i >= wholeWords; i--) word = (word << 8) | view.getUint8(at + i);
    padded.setInt32(wholeWords, word, true);
    for (let i = wholeWords + 4; i < BLOCK_BYTES; i += 4) padded.setInt32(i, 0);
    return padded;
  }

  /** One block of 16 bytes; `key` goes in before and after the permutation. */
  #absorb(view: DataView, at: number, key: Int32Array): void {
    let v0 = this.word0 ^ view.getInt32(at, true) ^ key[0];
    let v1 = this.word1 ^ view.getInt32(at + 4, true) ^ key[1];
    let v2 = this.word2 ^ view.getInt32(at + 8, true) ^ key[2];
    let v3 = this.word3 ^ view.getInt32(at + 12, true) ^ key[3];
    for (let round = 0; round < ROUNDS; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 13) | (v3 >>> 19)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 7) | (v1 >>> 25)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.word0 = v0 ^ key[0];
    this.word1 = v1 ^ key[1];
    this.word2 = v2 ^ key[2];
    this.word3 = v3 ^ key[3];
  }
}

const NO_KEY = new Int32Array(4);

/** Times two in the field of 2^128 elements. */
function doubled(key: Int32Array): Int32Array {
  const carry = key[3] < 0 ? 0x87 : 0;
  return Int32Array.of(
    (key[0] << 1) ^ carry,
    (key[1] << 1) | (key[0] >>> 31),
    (key[2] << 1) | (key[1] >>> 31),
    (key[3] << 1) | (key[2] >>> 31),
  );
}
