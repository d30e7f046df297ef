/**
 * The codecs of record batches: what a compressed batch (or a wrapping v0/v1 message) holds, and back.
 *
 * The output is bounded: a size that the input announces is held against the limit before anything is allocated, and
 * where the format announces none, decoding stops at the limit. Whatever is wrong throws MalformedError, and what is
 * only too large DecompressedTooLargeError. The native codecs are loaded when the first batch needs them, since start-up
 * is a feature.
 */
import { createRequire } from 'node:module';
import { MalformedError } from '../malformed.ts';
import { CompressionType, type CompressionTypeId } from './batch.ts';
import { DecompressedTooLargeError } from './decompressed-too-large.ts';
import { checkLz4Frame, withCorrectedLz4Header } from './lz4-frame.ts';
import { readSnappy, writeXerialSnappy } from './snappy-framing.ts';
import { zstdFrames } from './zstd-frame.ts';

const require = createRequire(import.meta.url);

/** Node's word for an output that would be larger than `maxOutputLength`. */
const OUTPUT_TOO_LARGE = 'ERR_BUFFER_TOO_LARGE';

/** What a batch may decompress to unless the caller says otherwise: far above what any producer puts into one. */
export const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;

interface Native {
  zlib: typeof import('node:zlib');
  snappy: typeof import('snappy');
  lz4: typeof import('lz4-napi');
}
const loaded: Partial<Native> = {};

function zlib(): Native['zlib'] {
  loaded.zlib ??= require('node:zlib') as Native['zlib'];
  return loaded.zlib;
}
function snappy(): Native['snappy'] {
  loaded.snappy ??= require('snappy') as Native['snappy'];
  return loaded.snappy;
}
function lz4(): Native['lz4'] {
  loaded.lz4 ??= require('lz4-napi') as Native['lz4'];
  return loaded.lz4;
}

/** Name of a codec as in Kafka's configuration (`compression.type`); throws MalformedError for an id that Kafka lacks. */
export function compressionName(type: number): 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' {
  const name = NAMES[type];
  if (name === undefined) throw new MalformedError(`compression type ${type}`);
  return name;
}
const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/**
 * Decompresses the records of a batch. `magic` is the format of the batch: lz4 frames within v0 messages carry a header
 * checksum that is wrong by tradition (KAFKA-3160).
 */
export function decompress(type: number, data: Buffer, maxBytes = MAX_DECOMPRESSED_BYTES, magic = 2): Buffer {
  try {
    switch (type) {
      case CompressionType.NONE:
        return data;
      case CompressionType.GZIP:
        return zlib().gunzipSync(data, { maxOutputLength: maxBytes });
      case CompressionType.SNAPPY:
        return readSnappy(data, maxBytes, (block) => snappy().uncompressSync(block) as Buffer);
      case CompressionType.LZ4:
        return readLz4(data, maxBytes, magic);
      case CompressionType.ZSTD:
        return readZstd(data, maxBytes);
    }
  } catch (error) {
    if (error instanceof MalformedError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const Failure = code === OUTPUT_TOO_LARGE ? DecompressedTooLargeError : MalformedError;
    throw new Failure(`cannot decompress ${compressionName(type)}: ${message}`);
  }
  throw new MalformedError(`compression type ${type}`);
}

function readLz4(data: Buffer, maxBytes: number, magic: number): Buffer {
  const frame = magic === 0 ? withCorrectedLz4Header(data) : data;
  checkLz4Frame(frame, maxBytes);
  return lz4().decompressFrameSync(frame);
}

/** Node decodes only the first of several frames; Kafka's reader decodes all. */
function readZstd(data: Buffer, maxBytes: number): Buffer {
  const frames = zstdFrames(data);
  if (frames.length === 1) return zlib().zstdDecompressSync(frames[0], { maxOutputLength: maxBytes });
  const parts: Buffer[] = [];
  let left = maxBytes;
  for (const frame of frames) {
    // zlib takes no limit of 0; an empty frame still has to be allowed when exactly nothing is left
    const part = zlib().zstdDecompressSync(frame, { maxOutputLength: Math.max(1, left) });
    left -= part.length;
    if (left < 0) throw new DecompressedTooLargeError(`decompresses to more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Compresses as Kafka's producer does: gzip and zstd in their default levels, snappy in xerial framing, lz4 in a frame. */
export function compress(type: CompressionTypeId, data: Buffer): Buffer {
  switch (type) {
    case CompressionType.NONE:
      return data;
    case CompressionType.GZIP:
      return zlib().gzipSync(data);
    case CompressionType.SNAPPY:
      return writeXerialSnappy(data, (block) => snappy().compressSync(block));
    case CompressionType.LZ4:
      return lz4().compressFrameSync(data);
    case CompressionType.ZSTD:
      return zlib().zstdCompressSync(data);
  }
}
