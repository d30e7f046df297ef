import type { Int64 } from './int64.ts';
import { MalformedError } from './malformed.ts';
import { ZERO_UUID } from './uuid.ts';

const TWO_32 = 0x1_0000_0000;

/** What decoding may allocate for each byte of input, and on top of that for any input; and the most for the largest. */
const ALLOWED_PER_BYTE = 32;
const ALLOWED_BYTES = 1024 * 1024;
const MOST_ALLOWED_BYTES = 512 * 1024 * 1024;

/**
 * Reads Kafka's primitive types from one buffer. Every length is held against the bytes that remain before anything is
 * allocated (DESIGN decision 9); what does not fit throws MalformedError. Byte fields are views of the buffer, not copies.
 *
 * That alone would let two bytes of input become an object of hundreds, and a frame of 100 MiB fill the heap. So each array
 * is also charged, with an estimate of what its elements take in memory, against an allowance of 1 MiB and 32 bytes for
 * each byte of input, at most 512 MiB. What clients send needs a fraction of that: elements come to 3 to 12 times their size.
 */
export class Reader {
  readonly buf: Buffer;
  pos: number;
  readonly end: number;
  private allowance: number;

  constructor(buf: Buffer, start = 0, end = buf.length) {
    this.buf = buf;
    this.pos = start;
    this.end = end;
    this.allowance = Math.min(ALLOWED_BYTES + ALLOWED_PER_BYTE * (end - start), MOST_ALLOWED_BYTES);
  }

  remaining(): number {
    return this.end - this.pos;
  }

  /** Moves past `size` bytes and returns where they begin. */
  take(size: number): number {
    const at = this.pos;
    const next = at + size;
    if (next > this.end) throw new MalformedError(`${size} bytes wanted, ${this.end - at} left`);
    this.pos = next;
    return at;
  }

  bool(): boolean {
    return this.buf[this.take(1)] !== 0;
  }
  int8(): number {
    return (this.buf[this.take(1)] << 24) >> 24;
  }
  int16(): number {
    const at = this.take(2);
    return ((this.buf[at] << 24) | (this.buf[at + 1] << 16)) >> 16;
  }
  uint16(): number {
    const at = this.take(2);
    return (this.buf[at] << 8) | this.buf[at + 1];
  }
  int32(): number {
    return this.int32At(this.take(4));
  }
  uint32(): number {
    return this.int32At(this.take(4)) >>> 0;
  }
  int64(): Int64 {
    return this.int64At(this.take(8));
  }
  float64(): number {
    return this.buf.readDoubleBE(this.take(8));
  }
  uuid(): string {
    return this.uuidAt(this.take(16));
  }

  private int32At(at: number): number {
    const buf = this.buf;
    return (buf[at] << 24) | (buf[at + 1] << 16) | (buf[at + 2] << 8) | buf[at + 3];
  }
  /**
   * Reads what `take` has found to be there: a number where a double is exact, else a bigint (decision 11; measured in
   * docs/decisions/0001-int64.md).
   */
  int64At(at: number): Int64 {
    const high = this.int32At(at);
    const low = this.int32At(at + 4) >>> 0;
    if (high >= -0x20_0000 && high < 0x20_0000) {
      const value = high * TWO_32 + low;
      // -2^53 would be exact but is not a safe integer
      if (value >= Number.MIN_SAFE_INTEGER) return value;
    }
    return this.buf.readBigInt64BE(at);
  }
  /** Reads what `take` has found to be there. */
  uuidAt(at: number): string {
    const buf = this.buf;
    let some = 0;
    for (let i = at; i < at + 16 && some === 0; i++) some |= buf[i];
    return some === 0 ? ZERO_UUID : buf.base64urlSlice(at, at + 16);
  }

  /** Unsigned varint of at most five bytes (KIP-482). */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buf[this.take(1)];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedError('a varint of more than five bytes');
  }

  private slice(length: number): Buffer {
    const at = this.take(length);
    return this.buf.subarray(at, at + length);
  }
  private text(length: number): string {
    if (length > 0x7fff) throw new MalformedError(`a string of ${length} bytes`);
    const at = this.take(length);
    return length === 0 ? '' : this.buf.utf8Slice(at, at + length);
  }

  stringOrNull(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.text(length);
  }
  compactStringOrNull(): string | null {
    const length = this.uvarint();
    return length === 0 ? null : this.text(length - 1);
  }
  bytesOrNull(): Buffer | null {
    const length = this.int32();
    return length < 0 ? null : this.slice(length);
  }
  compactBytesOrNull(): Buffer | null {
    const length = this.uvarint();
    return length === 0 ? null : this.slice(length - 1);
  }
  string(field: string): string {
    return this.stringOrNull() ?? forbidden(field);
  }
  compactString(field: string): string {
    return this.compactStringOrNull() ?? forbidden(field);
  }
  bytes(field: string): Buffer {
    return this.bytesOrNull() ?? forbidden(field);
  }
  compactBytes(field: string): Buffer {
    return this.compactBytesOrNull() ?? forbidden(field);
  }

  /**
   * The number of elements, -1 for null. `minElementBytes` is the fewest that one takes on the wire, `memoryBytes` about
   * what one takes in memory; both bound the number.
   */
  arrayLength(minElementBytes: number, memoryBytes: number): number {
    return this.checkLength(this.int32(), minElementBytes, memoryBytes);
  }
  compactArrayLength(minElementBytes: number, memoryBytes: number): number {
    return this.checkLength(this.uvarint() - 1, minElementBytes, memoryBytes);
  }
  private checkLength(length: number, minElementBytes: number, memoryBytes: number): number {
    if (length * minElementBytes > this.end - this.pos) {
      throw new MalformedError(`an array of ${length} elements in ${this.end - this.pos} bytes`);
    }
    if (length < 0) return -1;
    this.allowance -= length * memoryBytes;
    if (this.allowance < 0)
      throw new MalformedError(`an array of ${length} elements: too many in a message of this size`);
    return length;
  }

  /** Skips a tagged section none of whose tags is known. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }
  skip(size: number): void {
    this.take(size);
  }

  static malformed(message: string): never {
    throw new MalformedError(message);
  }
}

export function forbidden(field: string): never {
  throw new MalformedError(`null for ${field}, which cannot be null`);
}
