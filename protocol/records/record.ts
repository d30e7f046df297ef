/**
 * Records inside a v2 batch (KIP-98), after decompression:
 *
 *   length varint, attributes int8, timestampDelta varlong, offsetDelta varint,
 *   keyLength varint (-1: null), key, valueLength varint (-1: null), value,
 *   header count varint, then per header: keyLength varint, key, valueLength varint (-1: null), value
 *
 * All varints are zigzag.
 */
import { MalformedError } from '../malformed.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** One record with its absolute offset and timestamp; key, values are views of the (decompressed) batch. */
export interface KafkaRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

const NO_HEADERS: readonly RecordHeader[] = [];
const TWO_28 = 0x1000_0000;

/**
 * Walks encoded records without allocating: after `next()` the fields say where the parts of the record are. Every length
 * is held against the end of the record, the record against the end of the buffer; otherwise MalformedError.
 */
export class RecordCursor {
  readonly buf: Buffer;
  /** Where the next record begins. */
  position: number;
  private readonly limit: number;

  /** The record's first byte (of its length) and the byte after its last. */
  start = 0;
  end = 0;
  offsetDelta = 0;
  timestampDelta = 0;
  keyAt = 0;
  /** -1 for null. */
  keyBytes = -1;
  valueAt = 0;
  /** -1 for null. */
  valueBytes = -1;
  headerCount = 0;
  private headersAt = 0;
  private at = 0;

  constructor(buf: Buffer, from = 0, to = buf.length) {
    this.buf = buf;
    this.position = from;
    this.limit = to;
  }

  /** Moves to the next record; false at the end of the buffer. */
  next(): boolean {
    if (this.position >= this.limit) return false;
    this.start = this.position;
    this.at = this.position;
    this.end = this.limit;
    const size = this.varint();
    if (size < 0 || size > this.limit - this.at) throw malformed(`a record of ${size} bytes`);
    const end = this.at + size;
    this.end = end;
    this.position = end;
    this.at++;
    if (this.at > end) throw malformed('an empty record');
    this.timestampDelta = this.varlong();
    this.offsetDelta = this.varint();
    this.keyBytes = this.lengthOrNull();
    this.keyAt = this.at;
    if (this.keyBytes > 0) this.at += this.keyBytes;
    this.valueBytes = this.lengthOrNull();
    this.valueAt = this.at;
    if (this.valueBytes > 0) this.at += this.valueBytes;
    this.headerCount = this.varint();
    this.headersAt = this.at;
    if (this.headerCount !== 0) this.skipHeaders();
    if (this.at !== end) throw malformed(`a record of ${size} bytes with ${end - this.at} left over`);
    return true;
  }

  atEnd(): boolean {
    return this.position >= this.limit;
  }

  key(): Buffer | null {
    return this.keyBytes < 0 ? null : this.buf.subarray(this.keyAt, this.keyAt + this.keyBytes);
  }
  value(): Buffer | null {
    return this.valueBytes < 0 ? null : this.buf.subarray(this.valueAt, this.valueAt + this.valueBytes);
  }
  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return NO_HEADERS;
    this.at = this.headersAt;
    const headers: RecordHeader[] = [];
    for (let i = 0; i < this.headerCount; i++) {
      const keyBytes = this.varint();
      const key = this.buf.utf8Slice(this.at, this.at + keyBytes);
      this.at += keyBytes;
      const valueBytes = this.lengthOrNull();
      const value = valueBytes < 0 ? null : this.buf.subarray(this.at, this.at + valueBytes);
      if (valueBytes > 0) this.at += valueBytes;
      headers.push({ key, value });
    }
    return headers;
  }

  private skipHeaders(): void {
    // each takes two bytes at least
    if (this.headerCount < 0 || this.headerCount * 2 > this.end - this.at) {
      throw malformed(`${this.headerCount} record headers`);
    }
    for (let i = 0; i < this.headerCount; i++) {
      const keyBytes = this.lengthOrNull();
      if (keyBytes < 0) throw malformed('a record header without a key');
      this.at += keyBytes;
      const valueBytes = this.lengthOrNull();
      if (valueBytes > 0) this.at += valueBytes;
    }
  }

  /** A length within what is left of the record; every negative one is null, as in Kafka. */
  private lengthOrNull(): number {
    const length = this.varint();
    if (length < 0) return -1;
    if (length > this.end - this.at) throw malformed(`a field of ${length} bytes`);
    return length;
  }

  private varint(): number {
    const buf = this.buf;
    const end = this.end;
    let at = this.at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw malformed('a record that is cut off');
      const byte = buf[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw malformed('a varint of more than five bytes');
  }

  /** Up to ten bytes; exact to 2^53. */
  private varlong(): number {
    const buf = this.buf;
    const end = this.end;
    let at = this.at;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw malformed('a record that is cut off');
      const byte = buf[at++];
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else high += (byte & 0x7f) * 2 ** (shift - 28);
      if (byte < 0x80) {
        this.at = at;
        if (high === 0) return (low >>> 1) ^ -(low & 1);
        const half = high * (TWO_28 / 2) + (low >>> 1);
        return (low & 1) === 0 ? half : -half - 1;
      }
    }
    throw malformed('a varlong of more than ten bytes');
  }
}

const malformed = (message: string): MalformedError => new MalformedError(message);
