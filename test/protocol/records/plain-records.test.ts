import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordRules } from '../../../protocol/records/check-records.ts';
import { readRecords } from '../../../protocol/records/decode.ts';
import { encodeBatch, type RecordInput } from '../../../protocol/records/encode.ts';
import { checkPlainRecords, NOT_PLAIN } from '../../../protocol/records/plain-records.ts';

const NOW = 1_700_000_000_000;
const rules: RecordRules = {
  topic: 't',
  index: 0,
  compacted: false,
  logAppendTime: false,
  timestampBeforeMaxMs: 100_000,
  timestampAfterMaxMs: 50_000,
};

/** Around the sizes at which a varint takes one more byte, too. */
const bytes = fc
  .oneof(fc.nat(70), fc.integer({ min: 8_180, max: 8_200 }))
  .chain((size) => fc.nat(255).map((byte) => Buffer.alloc(size, byte)));
const anyRecord = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  timestamp: fc.integer({ min: NOW - 100_000, max: NOW + 50_000 }),
});
const anyRecords = fc.array(anyRecord, { minLength: 1, maxLength: 30 });

const times = (records: readonly { timestamp?: number }[]): number =>
  Math.max(...records.map(({ timestamp = -1 }) => timestamp));

describe('checkPlainRecords', () => {
  test('finds the highest timestamp of plain records', () => {
    fc.assert(
      fc.property(anyRecords, fc.boolean(), (records, compacted) => {
        const keyless = compacted && records.some(({ key }) => key === null);
        const found = checkPlainRecords(encodeBatch(records), 0, { ...rules, compacted }, NOW);
        expect(found).toBe(keyless ? NOT_PLAIN : times(records));
      }),
    );
  });

  test('what it passes is what a reader of the batch finds, whatever the bytes are', () => {
    const changes = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 3 });
    let passed = 0;
    fc.assert(
      fc.property(anyRecords, changes, fc.integer({ min: -1, max: 1 }), (records, changed, more) => {
        const buf = encodeBatch(records);
        for (const { at, byte } of changed) buf[61 + (at % (buf.length - 61))] = byte;
        buf.writeInt32BE(records.length + more, 57);
        const found = checkPlainRecords(buf, 0, rules, NOW);
        if (found === NOT_PLAIN) return;
        passed++;
        expect(readRecords(buf)).toHaveLength(records.length + more);
        expect(found).toBe(times(readRecords(buf)));
        for (const { timestamp, headers } of readRecords(buf)) {
          expect(headers).toEqual([]);
          expect(timestamp).toBeGreaterThanOrEqual(NOW - 100_000);
          expect(timestamp).toBeLessThanOrEqual(NOW + 50_000);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(passed).toBeGreaterThan(200);
  });

  test.each<[string, RecordInput[]]>([
    ['headers', [{ value: Buffer.from('v'), timestamp: NOW, headers: [{ key: 'h', value: null }] }]],
    ['a value of more than a mebibyte', [{ value: Buffer.alloc(1 << 20), timestamp: NOW }]],
    ['a time too long ago', [{ timestamp: NOW - 100_001 }]],
    ['a time too far ahead', [{ timestamp: NOW + 50_001 }]],
    ['times half an hour apart', [{ timestamp: NOW }, { timestamp: NOW - 1_800_000 }]],
  ])('%s: not plain', (_what, records) => {
    expect(checkPlainRecords(encodeBatch(records), 0, rules, NOW)).toBe(NOT_PLAIN);
  });

  test('where the append gives the time, no time is wrong', () => {
    const old = encodeBatch([{ timestamp: 5 }, { timestamp: 7 }]);
    expect(checkPlainRecords(old, 0, { ...rules, logAppendTime: true }, NOW)).toBe(7);
  });
});
