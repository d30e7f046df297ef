import type { Int64 } from './int64.ts';
import { MalformedError } from './malformed.ts';

const TWO_32 = 0x1_0000_0000;

/**
 * Reads Kafka's primitive types from one buffer. Every length is held against the bytes that remain before anything is
 * allocated (DESIGN decision 9); what does not fit throws MalformedError. Byte fields are views of the buffer, not copies.
 */
export class Reader {
  readonly buf: Buffer;
  private readonly view: DataView;
  pos: number;
  readonly end: number;

  constructor(buf: Buffer, start = 0, end = buf.length) {
    this.buf = buf;
    this.view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
    this.pos = start;
    this.end = end;
  }

  remaining(): number {
    return this.end - this.pos;
  }

  /** Moves past `size` bytes and returns where they begin. */
  private take(size: number): number {
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
    return this.view.getInt8(this.take(1));
  }
  int16(): number {
    return this.view.getInt16(this.take(2));
  }
  uint16(): number {
    return this.view.getUint16(this.take(2));
  }
  int32(): number {
    return this.view.getInt32(this.take(4));
  }
  uint32(): number {
    return this.view.getUint32(this.take(4));
  }
  /** A number where a double is exact, else a bigint (decision 11; measured in docs/decisions/0001-int64.md). */
  int64(): Int64 {
    const at = this.take(8);
    const high = this.view.getInt32(at);
    if (high >= -0x20_0000 && high < 0x20_0000) return high * TWO_32 + this.view.getUint32(at + 4);
    return this.view.getBigInt64(at);
  }
  float64(): number {
    return this.view.getFloat64(this.take(8));
  }
  uuid(): string {
    const at = this.take(16);
    return this.buf.base64urlSlice(at, at + 16);
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

  /** The number of elements, -1 for null; `minElementBytes` bounds it by what can still be there. */
  arrayLength(minElementBytes: number): number {
    return this.checkLength(this.int32(), minElementBytes);
  }
  compactArrayLength(minElementBytes: number): number {
    return this.checkLength(this.uvarint() - 1, minElementBytes);
  }
  private checkLength(length: number, minElementBytes: number): number {
    if (length * minElementBytes > this.end - this.pos) {
      throw new MalformedError(`an array of ${length} elements in ${this.end - this.pos} bytes`);
    }
    return length < 0 ? -1 : length;
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
