import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../protocol/deferred-bytes.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { Reader } from '../../protocol/reader.ts';
import { Writer } from '../../protocol/writer.ts';

const written = (write: (w: Writer) => void): Buffer => {
  const writer = new Writer();
  write(writer);
  return writer.toBuffer();
};

describe('int64', () => {
  const edges = [0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n];
  test.each([...edges, ...edges.map((v) => -v), -(2n ** 63n)])('%s is exact', (value) => {
    const expected = Buffer.alloc(8);
    expected.writeBigInt64BE(value);
    const read = new Reader(expected).int64();
    expect(BigInt(read)).toBe(value);
    expect(typeof read).toBe(Number.isSafeInteger(Number(value)) ? 'number' : 'bigint');
    expect(written((w) => w.int64(read)).equals(expected)).toBe(true);
    expect(written((w) => w.int64(value)).equals(expected)).toBe(true);
  });

  test('all 64 bits there and back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = written((w) => w.int64(value));
        expect(bytes.readBigInt64BE(0)).toBe(value);
        expect(written((w) => w.int64(new Reader(bytes).int64())).equals(bytes)).toBe(true);
      }),
    );
  });
});

describe('strings', () => {
  const lengths = [0, 1, 11, 12, 13, 41, 42, 43, 63, 64, 125, 126, 127, 128, 1023, 1024, 1025, 5000, 10_922];
  test.each(['a', 'é', '世', '😀'])('of %s, in every length that is written differently', (letter) => {
    for (const length of lengths) {
      const text = letter.repeat(Math.floor(length / letter.length));
      if (Buffer.byteLength(text) > 0x7fff) continue;
      const plain = written((w) => w.string(text));
      expect(plain.readInt16BE(0)).toBe(plain.length - 2);
      expect(new Reader(plain).string('f')).toBe(text);
      const compact = new Reader(written((w) => w.compactString(text)));
      expect(compact.compactString('f')).toBe(text);
      expect(compact.remaining()).toBe(0);
    }
  });

  test('mixed letters after ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(new Reader(written((w) => w.compactString(text))).compactString('f')).toBe(text);
        expect(new Reader(written((w) => w.string(text))).string('f')).toBe(text);
      }),
    );
  });

  test('above 32767 bytes are refused', () => {
    expect(() => new Writer().string('x'.repeat(0x8000))).toThrow(/a string of 32768 bytes/);
    expect(() => new Writer().compactString('世'.repeat(0x4000))).toThrow(/a string of/);
    const bytes = written((w) => w.uvarint(0x8001));
    expect(() => new Reader(Buffer.concat([bytes, Buffer.alloc(0x8000)])).compactString('f')).toThrow(MalformedError);
  });
});

describe('uvarint', () => {
  test.each([0, 1, 127, 128, 16_383, 16_384, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32 - 1])('%i', (value) => {
    const bytes = written((w) => w.uvarint(value));
    const reader = new Reader(bytes);
    expect(reader.uvarint()).toBe(value);
    expect(reader.remaining()).toBe(0);
  });

  test('of more than five bytes is malformed', () => {
    expect(() => new Reader(Buffer.from('808080808001', 'hex')).uvarint()).toThrow(MalformedError);
  });
});

describe('uuids', () => {
  test.each(['00'.repeat(16), 'ff'.repeat(16), '0123456789abcdef'.repeat(2), `${'00'.repeat(15)}01`])('%s', (hex) => {
    const bytes = Buffer.from(hex, 'hex');
    const uuid = new Reader(bytes).uuid();
    expect(uuid).toBe(bytes.toString('base64url'));
    expect(written((w) => w.uuid(uuid)).equals(bytes)).toBe(true);
  });

  test.each(['', 'short', 'AAAAAAAAAAAAAAAAAAAAAAA', '!!!!!!!!!!!!!!!!!!!!!!'])('%j is none', (text) => {
    expect(() => new Writer().uuid(text)).toThrow(/not a uuid/);
  });
});

describe('blocks', () => {
  test('writers at the same time do not disturb each other', () => {
    const writers = Array.from({ length: 8 }, () => new Writer());
    for (let round = 0; round < 500; round++) {
      for (const [i, writer] of writers.entries()) writer.int32(i * 1000 + round);
    }
    for (const [i, writer] of writers.entries()) {
      const reader = new Reader(writer.toBuffer());
      for (let round = 0; round < 500; round++) expect(reader.int32()).toBe(i * 1000 + round);
      expect(reader.remaining()).toBe(0);
    }
  });

  test('what was written stays as it is when others write', () => {
    const kept = Array.from({ length: 1000 }, (_, i) => written((w) => w.string(`kept ${i}`)));
    for (const [i, bytes] of kept.entries()) expect(new Reader(bytes).string('f')).toBe(`kept ${i}`);
  });

  test('large fields are passed on, in order, and the first size can be set afterwards', () => {
    const large = Buffer.alloc(20_000, 7);
    const writer = new Writer();
    writer.int32(0);
    writer.bytes(large);
    writer.string('between');
    writer.raw(large);
    writer.int8(1);
    expect(writer.sizeBytes()).toBe(4 + 4 + 20_000 + 9 + 20_000 + 1);
    writer.patchFirstInt32(writer.sizeBytes());
    const pieces = writer.finish().map(bytesOf);
    expect(pieces[1].buffer).toBe(large.buffer);
    const reader = new Reader(Buffer.concat(pieces));
    expect(reader.int32()).toBe(reader.end);
    expect(reader.bytes('f').equals(large)).toBe(true);
    expect(reader.string('f')).toBe('between');
  });

  test('bytes that are fetched when they are sent stay out, however few, and come in when all is joined', () => {
    const copyTo = (target: Buffer, from: number) => void target.write('abc'.slice(from));
    const deferred = { length: 3, copyTo, moveTo: () => null, load: () => null };
    const write = () => {
      const writer = new Writer();
      writer.bytes(deferred);
      writer.compactBytesOrNull(deferred);
      writer.int8(1);
      return writer;
    };
    expect(write().sizeBytes()).toBe(7 + 4 + 1);
    expect(write().finish()[1]).toBe(deferred);
    expect(write().toBuffer().toString('latin1')).toBe('\0\0\0\x03abc\x04abc\x01');
  });

  test('messages beyond a block come out whole', () => {
    const bytes = written((w) => {
      for (let i = 0; i < 100_000; i++) w.int32(i);
    });
    for (let i = 0; i < 100_000; i++) expect(bytes.readInt32BE(4 * i) === i).toBe(true);
  });

  test('a writer that has finished writes into no block of another', () => {
    const writer = new Writer();
    writer.int8(1);
    const [piece] = writer.finish().map(bytesOf);
    const next = new Writer();
    next.int8(2);
    writer.int8(3);
    expect([...piece, ...next.toBuffer()]).toEqual([1, 2]);
  });
});
