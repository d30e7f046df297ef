import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../../protocol/malformed.ts';
import * as batch from '../../../protocol/records/batch.ts';
import { CompressionType, type CompressionTypeId } from '../../../protocol/records/batch.ts';
import { hasValidCrc } from '../../../protocol/records/check.ts';
import { readRecords } from '../../../protocol/records/decode.ts';
import { encodeBatch } from '../../../protocol/records/encode.ts';
import { readLegacyRecords } from '../../../protocol/records/legacy.ts';
import type { KafkaRecord } from '../../../protocol/records/record.ts';
import { kafkaBatches } from '../kafka-batches.ts';

function readAll(buf: Buffer): KafkaRecord[] {
  const records: KafkaRecord[] = [];
  for (let at = 0; at < buf.length; at += batch.sizeBytes(buf, at)) {
    records.push(...(batch.magic(buf, at) === 2 ? readRecords(buf, at) : readLegacyRecords(buf, at)));
  }
  return records;
}

const hex = (v: Buffer | null): string | null => v?.toString('hex') ?? null;

function printable(records: readonly KafkaRecord[]): unknown {
  return records.map((r) => ({
    offset: r.offset,
    timestamp: r.timestamp,
    key: hex(r.key),
    value: hex(r.value),
    headers: r.headers.map((h) => [h.key, hex(h.value)]),
  }));
}

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 40 }).map(Buffer.from));
const anyRecords = fc.array(
  fc.record({
    key: bytesOrNull,
    value: bytesOrNull,
    timestamp: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 2 ** 45 })),
    headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 8 }), value: bytesOrNull }), {
      maxLength: 3,
    }),
  }),
  { minLength: 1, maxLength: 20 },
);
const anyCompression = fc.constantFrom(...(Object.values(CompressionType) as CompressionTypeId[]));

describe('batches that Apache Kafka wrote', () => {
  test.each(kafkaBatches.map((s) => [s.magic, s.codec, s.records.length, s] as const))(
    'magic %i, %s, %i records',
    (_magic, _codec, _count, sample) => {
      expect(printable(readAll(sample.bytes))).toEqual(sample.records);
    },
  );

  test('uncompressed v2 batches are written as Kafka writes them', () => {
    const plain = kafkaBatches.filter((s) => s.magic === 2 && s.codec === 'none');
    expect(plain.length).toBeGreaterThan(2);
    for (const sample of plain) {
      const theirs = sample.bytes;
      const attributes = batch.attributes(theirs, 0);
      if ((attributes & batch.TIMESTAMP_TYPE_BIT) !== 0) continue;
      const ours = encodeBatch(readRecords(theirs), {
        baseOffset: batch.baseOffset(theirs, 0),
        leaderEpoch: batch.leaderEpoch(theirs, 0),
        producerId: batch.producerId(theirs, 0),
        producerEpoch: batch.producerEpoch(theirs, 0),
        baseSequence: batch.baseSequence(theirs, 0),
        transactional: (attributes & batch.TRANSACTIONAL_BIT) !== 0,
      });
      expect(ours.toString('hex')).toBe(theirs.toString('hex'));
    }
  });
});

describe('record batches', () => {
  test('what is written is read, in every codec', () => {
    fc.assert(
      fc.property(anyRecords, anyCompression, fc.nat(), (records, compression, baseOffset) => {
        const buf = encodeBatch(records, { compression, baseOffset, leaderEpoch: 3 });
        expect(batch.sizeBytes(buf, 0)).toBe(buf.length);
        expect(hasValidCrc(buf, 0)).toBe(true);
        const expected = records.map((r, i) => ({ ...r, offset: baseOffset + i }));
        expect(printable(readRecords(buf))).toEqual(printable(expected));
      }),
    );
  });

  test('offsets may leave gaps, as compaction does', () => {
    const buf = encodeBatch([{ offset: 12 }, { offset: 15 }], { baseOffset: 10 });
    expect(readRecords(buf).map((r) => r.offset)).toEqual([12, 15]);
    expect(batch.lastOffset(buf, 0)).toBe(15);
    expect(() => encodeBatch([{ offset: 12 }, { offset: 12 }])).toThrow(RangeError);
  });

  test('LogAppendTime holds for all records', () => {
    const buf = encodeBatch([{ timestamp: 5 }, { timestamp: 6 }], { logAppendTime: 100 });
    expect(readRecords(buf).map((r) => r.timestamp)).toEqual([100, 100]);
  });

  test('any damage gives records or a MalformedError', () => {
    const mutate = (records: BatchRecords, compression: CompressionTypeId, changes: [number, number][]) => {
      const buf = encodeBatch(records, { compression });
      const body = buf.length - batch.BATCH_HEADER_BYTES;
      for (const [where, byte] of changes) buf[batch.BATCH_HEADER_BYTES + (where % body)] = byte;
      onlyMalformed(() => readRecords(buf, 0, 1 << 20));
    };
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    const changes = fc.array(change, { minLength: 1, maxLength: 4 });
    fc.assert(fc.property(anyRecords, anyCompression, changes, mutate), { numRuns: 500 });
  });

  test('any damage to a message set gives records or a MalformedError', () => {
    const legacy = kafkaBatches.filter((s) => s.magic < 2).map((s) => s.bytes);
    fc.assert(
      fc.property(fc.constantFrom(...legacy), fc.nat(), fc.integer({ min: 0, max: 255 }), (sample, where, byte) => {
        const buf = Buffer.from(sample);
        buf[where % buf.length] = byte;
        onlyMalformed(() => readLegacyRecords(buf));
      }),
      { numRuns: 500 },
    );
  });

  test('a count that is not the number of records is malformed', () => {
    for (const count of [1, 3, -1, 0x7fff_ffff]) {
      const buf = encodeBatch([{ value: Buffer.from('a') }, { value: Buffer.from('b') }]);
      buf.writeInt32BE(count, 57);
      expect(() => readRecords(buf)).toThrow(MalformedError);
    }
  });
});

type BatchRecords = Parameters<typeof encodeBatch>[0];

function onlyMalformed(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
  }
}
