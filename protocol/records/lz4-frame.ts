/**
 * The outside of an LZ4 frame, checked before the native decoder sees it: that it is whole, and how much it holds.
 *
 *   0  magic 04 22 4d 18    4  FLG    5  BD    then, where FLG says so, content size 8 bytes and dictionary id 4 bytes
 *   then the header checksum: byte 1 of the XXH32 of the descriptor (FLG up to before the checksum)
 *   then blocks: size uint32 little-endian (top bit: stored as it is), data, where FLG says so a checksum of 4 bytes
 *   then a size of 0, and where FLG says so a checksum of the content
 */
import { MalformedError } from '../malformed.ts';
import { DecompressedTooLargeError } from './decompressed-too-large.ts';

const MAGIC = 0x184d2204;
const CONTENT_CHECKSUM = 0x04;
const CONTENT_SIZE = 0x08;
const BLOCK_CHECKSUM = 0x10;
const DICTIONARY_ID = 0x01;
const STORED = 0x8000_0000;
const DESCRIPTOR_AT = 4;

/** The descriptor's end (where the header checksum stands). */
function checksumAt(frame: Buffer): number {
  if (frame.length < 7 || frame.readUInt32LE(0) !== MAGIC) throw new MalformedError('lz4: not a frame');
  const flags = frame[DESCRIPTOR_AT];
  if (flags >> 6 !== 1) throw new MalformedError(`lz4: version ${flags >> 6}`);
  if ((flags & DICTIONARY_ID) !== 0) throw new MalformedError('lz4: a dictionary');
  const at = DESCRIPTOR_AT + 2 + ((flags & CONTENT_SIZE) !== 0 ? 8 : 0);
  if (at >= frame.length) throw new MalformedError('lz4: the header is cut off');
  return at;
}

/** Throws MalformedError unless the frame is whole and its content at most `maxBytes`. */
export function checkLz4Frame(frame: Buffer, maxBytes: number): void {
  const flags = frame[DESCRIPTOR_AT];
  let at = checksumAt(frame) + 1;
  const maxBlockBytes = blockBytes(frame[DESCRIPTOR_AT + 1]);
  const checksumBytes = (flags & BLOCK_CHECKSUM) !== 0 ? 4 : 0;
  let total = 0;
  for (;;) {
    if (at + 4 > frame.length) throw new MalformedError('lz4: cut off');
    const field = frame.readUInt32LE(at);
    at += 4;
    if (field === 0) break;
    const size = field & ~STORED;
    if (size > maxBlockBytes || size + checksumBytes > frame.length - at) {
      throw new MalformedError(`lz4: a block of ${size} bytes`);
    }
    total += field >= STORED ? size : contentBytes(frame, at, at + size);
    if (total > maxBytes) throw new DecompressedTooLargeError(`lz4: decompresses to more than ${maxBytes} bytes`);
    at += size + checksumBytes;
  }
  if ((flags & CONTENT_CHECKSUM) !== 0 && at + 4 > frame.length) throw new MalformedError('lz4: cut off');
}

/** Bits 4 to 6 of BD: 4 for 64 KiB up to 7 for 4 MiB. */
function blockBytes(descriptor: number): number {
  const code = (descriptor >> 4) & 7;
  if (code < 4) throw new MalformedError(`lz4: block size code ${code}`);
  return 1 << (2 * code + 8);
}

/**
 * The size of a block's content, from its sequences without decoding them: token (4 bits literals, 4 bits match),
 * longer lengths in further bytes of which each below 255 is the last, the literals, a 2-byte offset, the match.
 */
function contentBytes(buf: Buffer, from: number, to: number): number {
  let total = 0;
  let at = from;
  while (at < to) {
    const token = buf[at++];
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        more = at < to ? buf[at++] : cutOff();
        literals += more;
      } while (more === 255);
    }
    total += literals;
    at += literals;
    if (at >= to) break;
    at += 2;
    let match = token & 15;
    if (match === 15) {
      let more: number;
      do {
        more = at < to ? buf[at++] : cutOff();
        match += more;
      } while (more === 255);
    }
    total += match + 4;
  }
  if (at > to) cutOff();
  return total;
}

function cutOff(): never {
  throw new MalformedError('lz4: a block is cut off');
}

/** The frame with the header checksum that it should have: writers of v0 messages computed another (KAFKA-3160). */
export function withCorrectedLz4Header(frame: Buffer): Buffer {
  const at = checksumAt(frame);
  const corrected = Buffer.from(frame);
  corrected[at] = (xxh32(frame, DESCRIPTOR_AT, at) >>> 8) & 0xff;
  return corrected;
}

const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

const rotate = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

/** XXH32 with seed 0 of fewer than 16 bytes, which is all that a descriptor has. */
function xxh32(buf: Buffer, from: number, to: number): number {
  const PRIME_1 = 0x9e3779b1;
  let hash = (PRIME_5 + (to - from)) | 0;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(buf.readInt32LE(at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < to; at++) {
    hash = Math.imul(rotate((hash + Math.imul(buf[at], PRIME_5)) | 0, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return hash ^ (hash >>> 16);
}
