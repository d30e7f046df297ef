/**
 * Where the frames of zstd data begin and end (RFC 8878), without decoding them.
 *
 *   magic 28 b5 2f fd    frame header descriptor: bits 6-7 content size code, 5 single segment, 2 checksum, 0-1 dictionary code
 *   window descriptor (not in a single segment), dictionary id, content size
 *   blocks: 3 bytes little-endian (bit 0 last, bits 1-2 type: raw, run, compressed; then size), data (1 byte for a run)
 *   checksum of 4 bytes where the descriptor says so
 *   Skippable frames: magic 50..5f 2a 4d 18, size uint32, data.
 */
import { MalformedError } from '../malformed.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const RUN = 1;
const RESERVED = 3;
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

/** The frames that hold data, in order. */
export function zstdFrames(data: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    need(data, at, 5);
    const magic = data.readUInt32LE(at);
    if (magic === MAGIC) {
      const end = frameEnd(data, at);
      frames.push(data.subarray(at, end));
      at = end;
    } else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      need(data, at, 8);
      const size = data.readUInt32LE(at + 4);
      need(data, at + 8, size);
      at += 8 + size;
    } else {
      throw new MalformedError('zstd: not a frame');
    }
  }
  return frames;
}

function frameEnd(data: Buffer, begin: number): number {
  const descriptor = data[begin + 4];
  const single = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  let at = begin + 5 + (single ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3];
  at += sizeCode === 0 && single ? 1 : CONTENT_SIZE_BYTES[sizeCode];
  for (let last = false; !last; ) {
    need(data, at, 3);
    const header = data.readUIntLE(at, 3);
    const type = (header >> 1) & 3;
    if (type === RESERVED) throw new MalformedError('zstd: a block of a reserved type');
    at += 3 + (type === RUN ? 1 : header >> 3);
    last = (header & 1) !== 0;
  }
  if ((descriptor & 0x04) !== 0) at += 4;
  need(data, at, 0);
  return at;
}

function need(data: Buffer, at: number, size: number): void {
  if (at + size > data.length) throw new MalformedError('zstd: cut off');
}
