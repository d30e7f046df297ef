/**
 * Frames: on a connection each request and each response is preceded by its size, an int32 that does not count itself.
 */
import { codec } from './compile.ts';
import { bytesOf, type Piece } from './deferred-bytes.ts';
import { writeRequestHeader, writeResponseHeader } from './header.ts';
import { MalformedError } from './malformed.ts';
import type { Fields, Message, WriteOf } from './schema.ts';
import { Writer } from './writer.ts';

const SIZE_BYTES = 4;
/** The buffer of a frame that spans chunks begins with at most this size and doubles as bytes arrive: never more than twice what came. */
const ALLOCATE_AT_ONCE_BYTES = 256 * 1024;
/** Buffers of frames that spanned chunks, at most so many and so large, to be used again by any connection. */
const MAX_SPARES = 4;
const MAX_SPARE_BYTES = 4 * 1024 * 1024;
const spares: Buffer[] = [];

/**
 * Cuts a stream of chunks into frames. `push` takes a chunk as it came; `next` yields the frames one by one (so the one who
 * reads can pause), without their size. A frame that lies within one chunk is a view of it; one that spans
 * chunks is copied once. The memory held for an unfinished frame is at most 256 KiB or twice what was received of it.
 */
export class FrameSplitter {
  private readonly maxFrameBytes: number;
  private chunk: Buffer = EMPTY;
  private at = 0;
  private queue: Buffer[] = [];
  /** The size field of a frame whose four bytes span chunks. */
  private sizeSoFar = 0;
  private sizeBytesRead = 0;
  /** The frame that spans chunks, its whole size, and how much of it is there. */
  private frame: Buffer | null = null;
  private frameBytes = 0;
  private filled = 0;
  /** The last frame that was handed out in a buffer of its own. */
  private lent: Buffer | null = null;

  /** `maxFrameBytes`: Kafka's socket.request.max.bytes. */
  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.at === this.chunk.length) {
      this.chunk = chunk;
      this.at = 0;
    } else {
      this.queue.push(chunk);
    }
  }

  /** True while received bytes wait to be cut into frames. */
  hasBuffered(): boolean {
    return this.at < this.chunk.length || this.queue.length > 0;
  }

  /** Copies what is left of the chunks that were pushed: their memory may now be used for something else. */
  keep(): void {
    if (!this.hasBuffered()) return;
    const rest = [this.chunk.subarray(this.at), ...this.queue];
    this.chunk = Buffer.concat(rest);
    this.at = 0;
    this.queue = [];
  }

  /** The next whole frame, or null until more is pushed. Throws MalformedError for a size that no frame may have. */
  next(): Buffer | null {
    if (this.frame === null && this.sizeBytesRead === 0) {
      const whole = this.wholeFrame();
      if (whole !== null) return whole;
    }
    while (this.at < this.chunk.length || this.takeFromQueue()) {
      if (this.frame === null && !this.readSize()) continue;
      if (this.fill()) return this.finish();
    }
    return null;
  }

  /**
   * The frame is done with and nobody keeps a view of it: its buffer may serve the next one. A fresh buffer of a megabyte costs
   * several times as much as filling it, for the page faults. Frames that are views of a chunk are passed over.
   */
  recycle(frame: Buffer): void {
    if (frame !== this.lent) return;
    this.lent = null;
    if (frame.buffer.byteLength > MAX_SPARE_BYTES) return;
    spares.push(Buffer.from(frame.buffer));
    spares.sort((a, b) => a.length - b.length);
    if (spares.length > MAX_SPARES) spares.shift();
  }

  /** The usual case: size and frame both in the current chunk. */
  private wholeFrame(): Buffer | null {
    const begin = this.at + SIZE_BYTES;
    if (begin > this.chunk.length) return null;
    const size = this.checkSize(this.chunk.readInt32BE(this.at));
    const end = begin + size;
    if (end > this.chunk.length) return null;
    this.at = end;
    return this.chunk.subarray(begin, end);
  }

  private takeFromQueue(): boolean {
    const chunk = this.queue.shift();
    if (chunk === undefined) {
      // do not keep alive what has been handed out
      this.chunk = EMPTY;
      this.at = 0;
      return false;
    }
    this.chunk = chunk;
    this.at = 0;
    return true;
  }

  /** Takes bytes of the size field; true when a frame was begun. */
  private readSize(): boolean {
    while (this.sizeBytesRead < SIZE_BYTES) {
      if (this.at === this.chunk.length) return false;
      this.sizeSoFar = (this.sizeSoFar << 8) | this.chunk[this.at++];
      this.sizeBytesRead++;
    }
    this.frameBytes = this.checkSize(this.sizeSoFar);
    this.frame = spareOf(this.frameBytes) ?? Buffer.allocUnsafeSlow(Math.min(this.frameBytes, ALLOCATE_AT_ONCE_BYTES));
    this.filled = 0;
    return true;
  }

  /** Copies what the chunk has of the frame; true when the frame is whole. */
  private fill(): boolean {
    const taken = Math.min(this.frameBytes - this.filled, this.chunk.length - this.at);
    this.reserve(this.filled + taken);
    this.chunk.copy(this.frame as Buffer, this.filled, this.at, this.at + taken);
    this.at += taken;
    this.filled += taken;
    return this.filled === this.frameBytes;
  }

  private reserve(needed: number): void {
    const frame = this.frame as Buffer;
    if (needed <= frame.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * frame.length));
    frame.copy(bigger, 0, 0, this.filled);
    this.frame = bigger;
  }

  private finish(): Buffer {
    const buffer = this.frame as Buffer;
    const frame = buffer.length === this.frameBytes ? buffer : buffer.subarray(0, this.frameBytes);
    this.lent = frame;
    this.frame = null;
    this.sizeBytesRead = 0;
    this.sizeSoFar = 0;
    return frame;
  }

  private checkSize(size: number): number {
    if (size < 0) throw new MalformedError(`a frame of ${size} bytes`);
    if (size > this.maxFrameBytes) {
      throw new MalformedError(`a frame of ${size} bytes, larger than ${this.maxFrameBytes}`);
    }
    return size;
  }
}

const EMPTY = Buffer.alloc(0);

/** A buffer that has served before and is large enough. */
function spareOf(sizeBytes: number): Buffer | null {
  const at = spares.findIndex((spare) => spare.length >= sizeBytes);
  return at < 0 ? null : spares.splice(at, 1)[0];
}

/** A whole response frame, size first, in pieces to be written in order. */
export function responseFrame<F extends Fields>(
  message: Message<F>,
  apiVersion: number,
  correlationId: number,
  value: WriteOf<F>,
): Piece[] {
  const writer = new Writer();
  writer.int32(0);
  writeResponseHeader(writer, message.apiKey as number, apiVersion, correlationId);
  codec(message, apiVersion).write(writer, value);
  return finishFrame(writer);
}

/** A whole request frame, size first, in pieces to be written in order. */
export function requestFrame<F extends Fields>(
  message: Message<F>,
  apiVersion: number,
  correlationId: number,
  clientId: string | null,
  value: WriteOf<F>,
): Buffer[] {
  const writer = new Writer();
  writer.int32(0);
  writeRequestHeader(writer, message.apiKey as number, apiVersion, correlationId, clientId);
  codec(message, apiVersion).write(writer, value);
  return finishFrame(writer).map(bytesOf);
}

function finishFrame(writer: Writer): Piece[] {
  writer.patchFirstInt32(writer.sizeBytes() - SIZE_BYTES);
  return writer.finish();
}
