/**
 * Snappy in record batches comes in two forms: one raw snappy block (librdkafka, franz-go), or the framing of the Java
 * library snappy-java ("xerial"):
 *
 *   0  82 'S' 'N' 'A' 'P' 'P' 'Y' 00    8  version int32    12  lowest compatible version int32
 *   16 and on: size int32, raw block of that size; repeated. The 16-byte header may be repeated between blocks; readers take any version.
 *
 * A raw block opens with its decompressed size as a varint.
 */
import { MalformedError } from '../malformed.ts';
import { DecompressedTooLargeError } from './decompressed-too-large.ts';

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;
const VERSION = 1;
/** Input per block in what we write: snappy-java's default. */
const BLOCK_BYTES = 32 * 1024;
/** A three-byte copy yields at most 64 bytes and nothing in the format does better; the rest is margin. */
const MAX_RATIO = 64;

type Codec = (block: Buffer) => Buffer;

export function readSnappy(data: Buffer, maxBytes: number, uncompress: Codec): Buffer {
  if (!startsWithMagic(data, 0)) return readBlock(data, maxBytes, uncompress);
  const parts: Buffer[] = [];
  let left = maxBytes;
  for (let at = 0; at < data.length; ) {
    if (startsWithMagic(data, at)) {
      at = skipHeader(data, at);
      continue;
    }
    if (data.length - at < 4) throw new MalformedError('snappy: a block size is cut off');
    const size = data.readInt32BE(at);
    if (size < 0 || size > data.length - at - 4) throw new MalformedError(`snappy: a block of ${size} bytes`);
    const part = readBlock(data.subarray(at + 4, at + 4 + size), left, uncompress);
    left -= part.length;
    parts.push(part);
    at += 4 + size;
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

function startsWithMagic(data: Buffer, at: number): boolean {
  return data.length - at >= MAGIC.length && data.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) === 0;
}

function skipHeader(data: Buffer, at: number): number {
  if (data.length - at < HEADER_BYTES) throw new MalformedError('snappy: the header is cut off');
  return at + HEADER_BYTES;
}

function readBlock(block: Buffer, maxBytes: number, uncompress: Codec): Buffer {
  const size = announcedBytes(block);
  if (size > maxBytes) throw new DecompressedTooLargeError(`snappy: decompresses to more than ${maxBytes} bytes`);
  if (size > block.length * MAX_RATIO) throw new MalformedError(`snappy: ${size} bytes announced in ${block.length}`);
  return uncompress(block);
}

function announcedBytes(block: Buffer): number {
  let size = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    size += (block[i] & 0x7f) * 2 ** (7 * i);
    if (block[i] < 0x80) return size;
  }
  throw new MalformedError('snappy: no size');
}

export function writeXerialSnappy(data: Buffer, compress: Codec): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeInt32BE(VERSION, 8);
  header.writeInt32BE(VERSION, 12);
  const parts: Buffer[] = [header];
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = compress(data.subarray(at, at + BLOCK_BYTES));
    const size = Buffer.allocUnsafe(4);
    size.writeInt32BE(block.length);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}
