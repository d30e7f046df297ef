import { bytesOf, type DeferredBytes, isDeferred, type Piece } from './deferred-bytes.ts';
import type { Int64 } from './int64.ts';
import { ZERO_UUID } from './uuid.ts';

const TWO_32 = 0x1_0000_0000;
/** Byte fields from this size on are passed on as they are and not copied into the writer's own buffer. */
const PASS_ON_FROM_BYTES = 1024;
/** Below this length a string is tried as ASCII in a plain loop, which beats the call into the runtime. */
const SHORT_STRING = 12;
/** Up to this length room for the longest UTF-8 is taken at once; above it, the size is counted first. */
const COUNT_FROM_LENGTH = 1024;
/** Writers cut what they write out of blocks of this size, so that most messages cost no allocation. */
const BLOCK_BYTES = 16 * 1024;
/** What is left of a block is used by the next writer if it is at least this. */
const WORTH_KEEPING_BYTES = 512;
/** A message that outgrows its block goes on in one twice as large, up to this size. */
const LARGEST_BLOCK_BYTES = 256 * 1024;

/** Where a writer begins, and from which byte on it is free. */
interface Block {
  readonly buf: Buffer;
  from: number;
}

/** Blocks for the next writers; one that works has its block for itself. Writers within writers are why there may be two. */
const spare: Block[] = [];
const MOST_SPARE = 4;

/**
 * Writes Kafka's primitive types. Large byte fields are not copied: `finish` returns the pieces in order, ready for one
 * vectored write. Whoever keeps a written buffer for long should copy it: it is a part of a 16 KiB block.
 */
export class Writer {
  /** The block written to; bytes `begin` up to `pos` are not yet in a piece. For the generated code. */
  buf: Buffer;
  private readonly block: Block;
  private begin: number;
  private pos: number;
  /** Pieces already complete, and their size. */
  private readonly pieces: Piece[] = [];
  private piecesBytes = 0;

  constructor(expectedBytes = 256) {
    const block = spare.pop();
    if (block !== undefined && block.buf.length - block.from >= expectedBytes) this.block = block;
    else this.block = { buf: Buffer.allocUnsafeSlow(Math.max(expectedBytes, BLOCK_BYTES)), from: 0 };
    this.buf = this.block.buf;
    this.begin = this.block.from;
    this.pos = this.begin;
  }

  /** Bytes written so far. */
  sizeBytes(): number {
    return this.piecesBytes + this.pos - this.begin;
  }

  /** Takes room for `size` bytes, all in `buf`, which may be another afterwards; returns where it begins. */
  make(size: number): number {
    const at = this.pos;
    const next = at + size;
    if (next > this.buf.length) return this.makeInNewBlock(size);
    this.pos = next;
    return at;
  }
  private makeInNewBlock(size: number): number {
    const larger = Math.min(2 * this.buf.length, LARGEST_BLOCK_BYTES);
    this.endPiece();
    this.buf = Buffer.allocUnsafeSlow(Math.max(size, larger));
    this.begin = 0;
    this.pos = size;
    return 0;
  }
  private endPiece(): void {
    if (this.pos === this.begin) return;
    this.pieces.push(this.buf.subarray(this.begin, this.pos));
    this.piecesBytes += this.pos - this.begin;
    this.begin = this.pos;
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
    this.buf[at] = v >> 8;
    this.buf[at + 1] = v;
  }
  uint16(v: number): void {
    this.int16(v);
  }
  int32(v: number): void {
    const at = this.make(4);
    const buf = this.buf;
    buf[at] = v >>> 24;
    buf[at + 1] = v >>> 16;
    buf[at + 2] = v >>> 8;
    buf[at + 3] = v;
  }
  uint32(v: number): void {
    this.int32(v);
  }
  int64(v: Int64): void {
    this.int64At(this.make(8), v);
  }
  float64(v: number): void {
    const at = this.make(8);
    this.buf.writeDoubleBE(v, at);
  }
  uuid(v: string): void {
    this.uuidAt(this.make(16), v);
  }

  /** Writes where `make` has made room. */
  int64At(at: number, v: Int64): void {
    const buf = this.buf;
    if (typeof v !== 'number') {
      buf.writeBigInt64BE(v, at);
      return;
    }
    const high = Math.floor(v / TWO_32);
    const low = v | 0;
    buf[at] = high >>> 24;
    buf[at + 1] = high >>> 16;
    buf[at + 2] = high >>> 8;
    buf[at + 3] = high;
    buf[at + 4] = low >>> 24;
    buf[at + 5] = low >>> 16;
    buf[at + 6] = low >>> 8;
    buf[at + 7] = low;
  }
  /** Writes where `make` has made room. */
  uuidAt(at: number, v: string): void {
    if (v === ZERO_UUID) {
      this.buf.fill(0, at, at + 16);
      return;
    }
    if (v.length !== 22 || this.buf.base64urlWrite(v, at, 16) !== 16) throw new Error(`not a uuid: ${v}`);
  }

  uvarint(v: number): void {
    if (v < 0x80) {
      const at = this.make(1);
      this.buf[at] = v;
      return;
    }
    this.uvarintAt(this.make(uvarintBytes(v)), v);
  }
  private uvarintAt(at: number, v: number): void {
    let rest = v >>> 0;
    let to = at;
    while (rest > 0x7f) {
      this.buf[to++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buf[to] = rest;
  }

  /** Writes the characters of an ASCII string where `make` has made room; false where there is another character. */
  private ascii(at: number, v: string): boolean {
    const buf = this.buf;
    for (let i = 0; i < v.length; i++) {
      const code = v.charCodeAt(i);
      if (code > 0x7f) return false;
      buf[at + i] = code;
    }
    return true;
  }

  string(v: string): void {
    const length = v.length;
    if (length > COUNT_FROM_LENGTH) {
      this.longString(v, false);
      return;
    }
    const at = this.make(2 + 3 * length);
    const ascii = length < SHORT_STRING && this.ascii(at + 2, v);
    const size = ascii ? length : this.buf.utf8Write(v, at + 2, 3 * length);
    this.buf[at] = size >> 8;
    this.buf[at + 1] = size;
    this.pos = at + 2 + size;
  }
  compactString(v: string): void {
    const length = v.length;
    if (length > COUNT_FROM_LENGTH) {
      this.longString(v, true);
      return;
    }
    const at = this.make(2 + 3 * length);
    // right for ASCII, that is nearly always
    const prefix = length < 0x7f ? 1 : 2;
    const ascii = length < SHORT_STRING && this.ascii(at + prefix, v);
    const size = ascii ? length : this.buf.utf8Write(v, at + prefix, 3 * length);
    const needed = size < 0x7f ? 1 : 2;
    if (needed !== prefix) this.buf.copyWithin(at + needed, at + prefix, at + prefix + size);
    this.uvarintAt(at, size + 1);
    this.pos = at + needed + size;
  }
  private longString(v: string, compact: boolean): void {
    const size = Buffer.byteLength(v);
    if (size > 0x7fff) throw new Error(`a string of ${size} bytes`);
    if (compact) this.uvarint(size + 1);
    else this.int16(size);
    const at = this.make(size);
    this.buf.utf8Write(v, at, size);
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
  raw(v: Uint8Array | DeferredBytes): void {
    if (v.length >= PASS_ON_FROM_BYTES || isDeferred(v)) {
      this.endPiece();
      this.pieces.push(isDeferred(v) ? v : Buffer.from(v.buffer, v.byteOffset, v.byteLength));
      this.piecesBytes += v.length;
      return;
    }
    const at = this.make(v.length);
    this.buf.set(v, at);
  }
  bytes(v: Uint8Array | DeferredBytes): void {
    this.int32(v.length);
    this.raw(v);
  }
  compactBytes(v: Uint8Array | DeferredBytes): void {
    this.uvarint(v.length + 1);
    this.raw(v);
  }
  bytesOrNull(v: Uint8Array | DeferredBytes | null): void {
    if (v === null) this.int32(-1);
    else this.bytes(v);
  }
  compactBytesOrNull(v: Uint8Array | DeferredBytes | null): void {
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

  /** Sets the int32 at the very beginning (the frame's length). */
  patchFirstInt32(v: number): void {
    const first = this.pieces.at(0);
    if (first === undefined) this.buf.writeInt32BE(v, this.begin);
    else (first as Buffer).writeInt32BE(v, 0);
  }

  /** What was written, in pieces to be sent in order. The writer is not to be used afterwards. */
  finish(): Piece[] {
    this.endPiece();
    const { block } = this;
    if (this.buf === block.buf && block.buf.length - this.pos >= WORTH_KEEPING_BYTES && spare.length < MOST_SPARE) {
      block.from = this.pos;
      spare.push(block);
    }
    // a write after this would be in a block that is another's
    this.buf = NO_BLOCK;
    this.begin = 0;
    this.pos = 0;
    return this.pieces;
  }

  /** What was written, as one buffer. */
  toBuffer(): Buffer {
    const pieces = this.finish().map(bytesOf);
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }
}

const NO_BLOCK = Buffer.alloc(0);

function uvarintBytes(v: number): number {
  const bits = 32 - Math.clz32(v >>> 0 || 1);
  return Math.ceil(bits / 7);
}
