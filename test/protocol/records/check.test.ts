import { describe, expect, test } from 'vitest';
import * as batch from '../../../protocol/records/batch.ts';
import { CompressionType } from '../../../protocol/records/batch.ts';
import {
  checkBatches,
  checkProducedBatch,
  hasValidCrc,
  setCrc,
  wholeBatchesBytes,
} from '../../../protocol/records/check.ts';
import { RecordChecker, type RecordRules, setTimestamps } from '../../../protocol/records/check-records.ts';
import { type BatchOptions, encodeBatch, type RecordInput } from '../../../protocol/records/encode.ts';

const NOW = 1_700_000_000_000;
const plain: RecordRules = {
  topic: 't',
  index: 3,
  compacted: false,
  logAppendTime: false,
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: 3_600_000,
};
const records: RecordInput[] = [
  { key: Buffer.from('k'), value: Buffer.from('v'), timestamp: NOW },
  { value: Buffer.from('w'), timestamp: NOW + 5 },
];

const make = (options: BatchOptions = {}, from = records) => encodeBatch(from, options);

/** A batch with a field changed and the CRC right again. */
function changed(change: (buf: Buffer) => void, options: BatchOptions = {}): Buffer {
  const buf = make(options);
  change(buf);
  setCrc(buf, 0);
  return buf;
}

const error = (buf: Buffer | null, version = 9, max?: number) => checkProducedBatch(buf, version, max)?.error ?? null;

describe('checkProducedBatch', () => {
  test('takes one good batch, in every codec and with an idle tail', () => {
    for (const compression of Object.values(CompressionType)) expect(error(make({ compression }))).toBeNull();
    expect(error(Buffer.concat([make(), make().subarray(0, 11)]))).toBeNull();
    expect(error(Buffer.concat([make(), make().subarray(0, 60)]))).toBeNull();
  });

  test.each([
    ['null', null, 'INVALID_RECORD'],
    ['nothing', Buffer.alloc(0), 'INVALID_RECORD'],
    ['half a batch', make().subarray(0, 65), 'INVALID_RECORD'],
    ['two batches', Buffer.concat([make(), make()]), 'INVALID_RECORD'],
    ['a batch and rubbish', Buffer.concat([make(), Buffer.alloc(20)]), 'CORRUPT_MESSAGE'],
    ['a length below any format', changed((b) => b.writeInt32BE(13, 8)), 'CORRUPT_MESSAGE'],
    ['a length below its header', changed((b) => b.writeInt32BE(40, 8)), 'CORRUPT_MESSAGE'],
    ['an unknown magic', changed((b) => b.writeInt8(3, 16)), 'CORRUPT_MESSAGE'],
    ['an old magic', changed((b) => b.writeInt8(1, 16)), 'INVALID_RECORD'],
    ['a base offset', make({ baseOffset: 1 }), 'INVALID_RECORD'],
    ['an unknown codec', changed((b) => b.writeInt16BE(5, 21)), 'UNKNOWN_SERVER_ERROR'],
    ['no records', changed((b) => b.writeInt32BE(0, 57)), 'INVALID_RECORD'],
    ['a count beside the offsets', changed((b) => b.writeInt32BE(5, 57)), 'INVALID_RECORD'],
    ['a negative last offset', changed((b) => b.writeInt32BE(-1, 23)), 'INVALID_RECORD'],
    ['a control batch', make({ control: true }), 'INVALID_RECORD'],
    ['a producer id without sequence', make({ producerId: 5, producerEpoch: 0 }), 'INVALID_RECORD'],
  ])('%s', (_what, buf, expected) => {
    expect(error(buf)).toBe(expected);
  });

  test('zstd needs Produce 7', () => {
    expect(error(make({ compression: CompressionType.ZSTD }), 6)).toBe('UNSUPPORTED_COMPRESSION_TYPE');
  });

  test('the size is limited', () => {
    expect(error(make(), 9, make().length)).toBeNull();
    expect(error(make(), 9, make().length - 1)).toBe('MESSAGE_TOO_LARGE');
  });

  test('any flipped bit under the CRC is found', () => {
    const good = make({ producerId: 3, producerEpoch: 0, baseSequence: 0 });
    for (let bit = 21 * 8; bit < good.length * 8; bit++) {
      const buf = Buffer.from(good);
      buf[bit >> 3] ^= 1 << (bit & 7);
      expect(error(buf)).toBe('CORRUPT_MESSAGE');
    }
  });
});

describe('checkBatches', () => {
  test('walks whole batches and leaves one that is cut off', () => {
    const three = Buffer.concat([make({ baseOffset: 5 }), make({ control: true }), make()]);
    const cut = Buffer.concat([three, make().subarray(0, 70)]);
    expect(checkBatches(cut)).toBeNull();
    expect(wholeBatchesBytes(cut)).toBe(three.length);
    cut[three.length - 1] ^= 1;
    expect(checkBatches(cut)?.error).toBe('CORRUPT_MESSAGE');
  });
});

describe('RecordChecker', () => {
  const check = (buf: Buffer, rules = plain) => new RecordChecker().check(buf, 0, rules, NOW);

  test('tells the highest timestamp', () => {
    for (const compression of Object.values(CompressionType)) {
      const checker = new RecordChecker();
      expect(checker.check(make({ compression }), 0, plain, NOW)).toBeNull();
      expect(checker.maxTimestamp).toBe(NOW + 5);
    }
  });

  test('a compacted topic takes no record without a key', () => {
    const problem = check(make(), { ...plain, compacted: true });
    expect(problem?.error).toBe('INVALID_RECORD');
    expect(problem?.recordErrors.map((e) => e.batchIndex)).toEqual([1]);
  });

  test('timestamps out of range are refused', () => {
    const late = make({}, [...records, { timestamp: NOW + 3_600_001 }]);
    expect(check(late)?.error).toBe('INVALID_TIMESTAMP');
    expect(check(late)?.recordErrors.map((e) => e.batchIndex)).toEqual([2]);
    expect(check(late, { ...plain, logAppendTime: true })).toBeNull();
    expect(check(make({}, [{ timestamp: NOW - 11 }]), { ...plain, timestampBeforeMaxMs: 10 })?.error).toBe(
      'INVALID_TIMESTAMP',
    );
    expect(check(make({}, [{ timestamp: -1 }]), { ...plain, timestampBeforeMaxMs: 10 })).toBeNull();
  });

  test('records that are not what the header says are refused', () => {
    expect(check(changed((b) => b.writeInt32BE(3, 57)))?.error).toBe('INVALID_RECORD');
    expect(check(changed((b) => b.writeInt32BE(1, 57)))?.error).toBe('INVALID_RECORD');
    const garbage = changed((b) => b.fill(0xff, 61), { compression: CompressionType.LZ4 });
    expect(check(garbage)?.error).toBe('UNKNOWN_SERVER_ERROR');
  });
});

describe('setTimestamps', () => {
  test('leaves a right header alone and corrects a wrong one', () => {
    const buf = make();
    const before = Buffer.from(buf);
    setTimestamps(buf, 0, false, NOW + 5);
    expect(buf.equals(before)).toBe(true);
    setTimestamps(buf, 0, true, NOW + 100);
    expect(batch.maxTimestamp(buf, 0)).toBe(NOW + 100);
    expect(batch.attributes(buf, 0)).toBe(batch.TIMESTAMP_TYPE_BIT);
    expect(hasValidCrc(buf, 0)).toBe(true);
  });
});
