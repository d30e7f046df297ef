import { createRequire } from 'node:module';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../../protocol/malformed.ts';
import { CompressionType, type CompressionTypeId } from '../../../protocol/records/batch.ts';
import { compress, compressionName, decompress } from '../../../protocol/records/compression.ts';
import { DecompressedTooLargeError } from '../../../protocol/records/decompressed-too-large.ts';

const snappy = createRequire(import.meta.url)('snappy') as typeof import('snappy');
const codecs = Object.values(CompressionType) as CompressionTypeId[];
const compressing = codecs.filter((type) => type !== CompressionType.NONE);
const text = Buffer.from('the quick brown fox jumps over the lazy dog '.repeat(5000));

function failureOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('it has not failed');
}

describe.each(compressing.map((type) => [compressionName(type), type] as const))('%s', (_name, type) => {
  test.each([0, 1, 100, 32_768, 32_769, text.length])('%i bytes there and back', (size) => {
    const data = text.subarray(0, size);
    expect(decompress(type, compress(type, data)).equals(data)).toBe(true);
  });

  test('output above the limit is refused', () => {
    const data = compress(type, text);
    expect(decompress(type, data, text.length).length).toBe(text.length);
    expect(() => decompress(type, data, text.length - 1)).toThrow(MalformedError);
  });

  test('output above the limit is told from input that is cut off', () => {
    const data = compress(type, text);
    expect(() => decompress(type, data, text.length - 1)).toThrow(DecompressedTooLargeError);
    const failure = failureOf(() => decompress(type, data.subarray(0, -1), text.length));
    expect(failure).toBeInstanceOf(MalformedError);
    expect(failure).not.toBeInstanceOf(DecompressedTooLargeError);
  });

  test('input that is cut off is malformed', () => {
    const data = compress(type, text.subarray(0, 2000));
    for (let end = 1; end < data.length; end++) {
      // at the end of a block of xerial snappy nothing tells that more was to come
      const whole = type === CompressionType.SNAPPY && end === 16;
      if (!whole) expect(() => decompress(type, data.subarray(0, end)), `cut at ${end}`).toThrow(MalformedError);
    }
  });

  test('a bomb is refused before it is allocated', () => {
    const bomb = compress(type, Buffer.alloc(64 << 20));
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decompress(type, bomb, 1 << 20)).toThrow(MalformedError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
  });
});

describe('snappy', () => {
  test('a raw block is read as well as xerial framing', () => {
    expect(decompress(CompressionType.SNAPPY, snappy.compressSync(text)).equals(text)).toBe(true);
    expect(compress(CompressionType.SNAPPY, text).subarray(0, 8).toString('latin1')).toBe('\x82SNAPPY\0');
  });

  test('a header may stand between blocks', () => {
    const once = compress(CompressionType.SNAPPY, text);
    const twice = decompress(CompressionType.SNAPPY, Buffer.concat([once, once]));
    expect(twice.equals(Buffer.concat([text, text]))).toBe(true);
  });

  test('a size that no input of that length can hold is refused at once', () => {
    expect(() => decompress(CompressionType.SNAPPY, Buffer.from('ffffff3f00', 'hex'))).toThrow(MalformedError);
  });
});

describe('lz4', () => {
  test('a v0 message may have a wrong header checksum, a later one not', () => {
    const frame = compress(CompressionType.LZ4, text);
    frame[6] ^= 0xff;
    expect(decompress(CompressionType.LZ4, frame, text.length, 0).equals(text)).toBe(true);
    expect(() => decompress(CompressionType.LZ4, frame, text.length, 1)).toThrow(MalformedError);
  });
});

describe('zstd', () => {
  test('several frames and skippable ones are read', () => {
    const skippable = Buffer.from('502a4d1803000000aabbcc', 'hex');
    const data = Buffer.concat([zstdCompressSync(text), skippable, zstdCompressSync(Buffer.from('end'))]);
    expect(decompress(CompressionType.ZSTD, data).toString()).toBe(`${text}end`);
    expect(() => decompress(CompressionType.ZSTD, data, text.length)).toThrow(MalformedError);
  });

  test.each(['x', 'end'])('a last frame of %j is too large where nothing is left', (end) => {
    const data = Buffer.concat([zstdCompressSync(text), zstdCompressSync(Buffer.from(end))]);
    expect(() => decompress(CompressionType.ZSTD, data, text.length)).toThrow(DecompressedTooLargeError);
  });
});

test('a codec that Kafka does not have is malformed', () => {
  for (const type of [5, 6, 7]) expect(() => decompress(type, text)).toThrow(MalformedError);
});
