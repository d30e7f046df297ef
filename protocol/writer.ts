import type { Int64 } from './int64.ts';

const TWO_32 = 0x1_0000_0000;
/** Byte fields from this size on are passed on as they are and not copied into the writer's own buffer. */
const PASS_ON_FROM_BYTES = 8192;
/** Up to this length a string is tried as ASCII in a plain loop, which beats the call into the runtime. */
const SHORT_STRING = 40;

/**
 * Writes Kafka's primitive types into a growing buffer. Large record fields are not copied: `finish` returns the pieces
 * in order, ready for one vectored write.
 */
export class Writer {
  private buf: Buffer;
  private view: DataView;
  private pos = 0;
  /** Pieces already complete, and their size. */
  private pieces: Buffer[] = [];
  private piecesBytes = 0;

  constructor(initialBytes = 256) {
    this.buf = Buffer.allocUnsafe(initialBytes);
    this.view = new DataView(this.buf.buffer, this.buf.byteOffset, this.buf.byteLength);
  }

  /** Bytes written so far. */
  sizeBytes(): number {
    return this.piecesBytes + this.pos;
  }

  private make(size: number): number {
    const at = this.pos;
    if (at + size > this.buf.length) this.grow(at + size);
    this.pos = at + size;
    return at;
  }
  private grow(needed: number): void {
    const bigger = Buffer.allocUnsafe(Math.max(needed, this.buf.length * 2));
    this.buf.copy(bigger, 0, 0, this.pos);
    this.buf = bigger;
    this.view = new DataView(bigger.buffer, bigger.byteOffset, bigger.byteLength);
  }

  bool(v: boolean): void {
    const at = this.make(1);
    this.buf[at] = v ? 1 : 0;
  }
  int8(v: number): void {
    const at = this.make(1);
    this.buf[at] = v;
  }
  int16(v: number): void {
    const at = this.make(2);
    this.view.setInt16(at, v);
  }
  uint16(v: number): void {
    const at = this.make(2);
    this.view.setUint16(at, v);
  }
  int32(v: number): void {
    const at = this.make(4);
    this.view.setInt32(at, v);
  }
  uint32(v: number): void {
    const at = this.make(4);
    this.view.setUint32(at, v);
  }
  int64(v: Int64): void {
    const at = this.make(8);
    if (typeof v === 'number') {
      this.view.setInt32(at, Math.floor(v / TWO_32));
      this.view.setInt32(at + 4, (v % TWO_32) | 0);
    } else {
      this.view.setBigInt64(at, v);
    }
  }
  float64(v: number): void {
    const at = this.make(8);
    this.view.setFloat64(at, v);
  }
  uuid(v: string): void {
    const at = this.make(16);
    if (this.buf.base64urlWrite(v, at, 16) !== 16) throw new Error(`not a uuid: ${v}`);
  }

  uvarint(v: number): void {
    let rest = v >>> 0;
    while (rest > 0x7f) {
      this.int8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.int8(rest);
  }

  /** Writes the characters of a short ASCII string; false (and nothing written) where there is another character. */
  private ascii(v: string): boolean {
    const at = this.make(v.length);
    const buf = this.buf;
    for (let i = 0; i < v.length; i++) {
      const code = v.charCodeAt(i);
      if (code > 0x7f) {
        this.pos = at;
        return false;
      }
      buf[at + i] = code;
    }
    return true;
  }
  private utf8(v: string, size: number): void {
    const at = this.make(size);
    this.buf.utf8Write(v, at, size);
  }

  string(v: string): void {
    if (v.length <= SHORT_STRING) {
      this.int16(v.length);
      if (this.ascii(v)) return;
      this.pos -= 2;
    }
    const size = Buffer.byteLength(v);
    if (size > 0x7fff) throw new Error(`a string of ${size} bytes`);
    this.int16(size);
    this.utf8(v, size);
  }
  compactString(v: string): void {
    if (v.length <= SHORT_STRING) {
      this.int8(v.length + 1);
      if (this.ascii(v)) return;
      this.pos -= 1;
    }
    const size = Buffer.byteLength(v);
    if (size > 0x7fff) throw new Error(`a string of ${size} bytes`);
    this.uvarint(size + 1);
    this.utf8(v, size);
  }
  stringOrNull(v: string | null): void {
    if (v === null) this.int16(-1);
    else this.string(v);
  }
  compactStringOrNull(v: string | null): void {
    if (v === null) this.int8(0);
    else this.compactString(v);
  }

  /** Bytes as they are, without a length. */
  raw(v: Uint8Array): void {
    if (v.length >= PASS_ON_FROM_BYTES) {
      this.pass(v);
      return;
    }
    const at = this.make(v.length);
    this.buf.set(v, at);
  }
  private pass(v: Uint8Array): void {
    this.pieces.push(this.buf.subarray(0, this.pos), Buffer.from(v.buffer, v.byteOffset, v.byteLength));
    this.piecesBytes += this.pos + v.length;
    this.buf = this.buf.subarray(this.pos);
    this.view = new DataView(this.buf.buffer, this.buf.byteOffset, this.buf.byteLength);
    this.pos = 0;
  }
  bytes(v: Uint8Array): void {
    this.int32(v.length);
    this.raw(v);
  }
  compactBytes(v: Uint8Array): void {
    this.uvarint(v.length + 1);
    this.raw(v);
  }
  bytesOrNull(v: Uint8Array | null): void {
    if (v === null) this.int32(-1);
    else this.bytes(v);
  }
  compactBytesOrNull(v: Uint8Array | null): void {
    if (v === null) this.int8(0);
    else this.compactBytes(v);
  }

  /** -1 for null. */
  arrayLength(length: number): void {
    this.int32(length);
  }
  compactArrayLength(length: number): void {
    this.uvarint(length + 1);
  }

  /** One tagged field: tag, size, and what `write` writes. */
  tagged(tag: number, write: (w: Writer) => void): void {
    const inner = new Writer();
    write(inner);
    this.uvarint(tag);
    this.uvarint(inner.sizeBytes());
    for (const piece of inner.finish()) this.raw(piece);
  }

  /** Sets the int32 at the very beginning (the frame's length), which is never in a passed-on piece. */
  patchFirstInt32(v: number): void {
    const first = this.pieces.length > 0 ? this.pieces[0] : this.buf;
    first.writeInt32BE(v, 0);
  }

  /** What was written, in pieces to be sent in order. The writer is not to be used afterwards. */
  finish(): Buffer[] {
    if (this.pos > 0) this.pieces.push(this.buf.subarray(0, this.pos));
    return this.pieces;
  }

  /** What was written, as one buffer. */
  toBuffer(): Buffer {
    const pieces = this.finish();
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }
}
