import { describe, expect, test } from 'vitest';
import { encode } from '../../../protocol/compile.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import * as batch from '../../../protocol/records/batch.ts';
import { hasValidCrc } from '../../../protocol/records/check.ts';
import {
  controlBatch,
  kraftVersionRecord,
  leaderChangeRecord,
  readControlRecord,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  transactionMarkerBatch,
  votersRecord,
} from '../../../protocol/records/control.ts';
import { LeaderChangeMessage } from '../../../protocol/records/control-records.ts';
import { readRecords } from '../../../protocol/records/decode.ts';

describe('transaction markers', () => {
  test.each([true, false])('commit %s', (commit) => {
    const buf = transactionMarkerBatch({
      commit,
      coordinatorEpoch: 12,
      producerId: 4711,
      producerEpoch: 3,
      timestampMs: 99,
    });
    // 61 + 17: what Kafka reserves for a marker batch
    expect(buf.length).toBe(78);
    expect(hasValidCrc(buf, 0)).toBe(true);
    expect(batch.attributes(buf, 0)).toBe(batch.TRANSACTIONAL_BIT | batch.CONTROL_BIT);
    const [record] = readRecords(buf);
    expect(record.key?.toString('hex')).toBe(commit ? '00000001' : '00000000');
    expect(readControlRecord(record)).toEqual({ type: commit ? 'commit' : 'abort', value: { coordinatorEpoch: 12 } });
  });

  test('a value that a later version made longer is read', () => {
    const key = Buffer.from('00000001', 'hex');
    const value = Buffer.from('000100000007aabb', 'hex');
    expect(readControlRecord({ key, value })).toEqual({ type: 'commit', value: { coordinatorEpoch: 7 } });
  });
});

describe('KRaft control records', () => {
  const voter = { voterId: 1, voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' };

  test('there and back', () => {
    const buf = controlBatch(
      [
        leaderChangeRecord({ leaderId: 1, voters: [{ voterId: 1 }], grantingVoters: [{ voterId: 1 }] }),
        snapshotHeaderRecord({ lastContainedLogTimestamp: 5 }),
        snapshotFooterRecord({}),
        kraftVersionRecord({ kRaftVersion: 1 }),
        votersRecord({ voters: [{ ...voter, endpoints: [{ name: 'C', host: 'h', port: 65_000 }] }] }),
      ],
      { baseOffset: 7, leaderEpoch: 2, timestampMs: 33 },
    );
    expect(batch.attributes(buf, 0)).toBe(batch.CONTROL_BIT);
    expect(batch.leaderEpoch(buf, 0)).toBe(2);
    const records = readRecords(buf);
    expect(records.map((r) => [r.offset, r.timestamp])).toEqual([7, 8, 9, 10, 11].map((offset) => [offset, 33]));
    const read = records.map(readControlRecord);
    expect(read.map((r) => r.type)).toEqual([
      'leader-change',
      'snapshot-header',
      'snapshot-footer',
      'kraft-version',
      'kraft-voters',
    ]);
    expect(read[0]).toMatchObject({ value: { version: 0, leaderId: 1, voters: [{ voterId: 1 }] } });
    expect(read[4]).toMatchObject({ value: { voters: [{ endpoints: [{ port: 65_000 }] }] } });
  });

  test('a leader change of version 1 is read', () => {
    const value = encode(LeaderChangeMessage, 1, { version: 1, leaderId: 3, voters: [voter] });
    const read = readControlRecord({ key: Buffer.from('00000002', 'hex'), value });
    expect(read).toMatchObject({ type: 'leader-change', value: { leaderId: 3, voters: [voter] } });
  });

  test('an unknown type is told as such, a key that is none is malformed', () => {
    expect(readControlRecord({ key: Buffer.from('00000063', 'hex'), value: null })).toEqual({
      type: 'unknown',
      value: 99,
    });
    for (const key of [null, Buffer.alloc(3), Buffer.from('ffff0001', 'hex')]) {
      expect(() => readControlRecord({ key, value: null })).toThrow(MalformedError);
    }
  });
});

/** What Kafka 4.3.1's MemoryRecords.withEndTransactionMarker, withLeaderChangeMessage and so on make of the same values. */
const KAFKAS = {
  commit:
    '000000000000000000000042ffffffff026a7b8b610030000000000000000000000063000000000000006300000000000012670003ffffffff000000012000000008000000010c00000000000c00',
  abort:
    '000000000000000000000042ffffffff029e455d290030000000000000000000000063000000000000006300000000000012670003ffffffff000000012000000008000000000c00000000000c00',
  leaderChange:
    '00000000000000070000004f0000000202ee95ae4300200000000000000000000000210000000000000021ffffffffffffffffffffffffffff000000013a0000000800000002260000000000010200000001000200000001000000',
  header:
    '000000000000000700000047000000020249ae3f6400200000000000000000000000210000000000000021ffffffffffffffffffffffffffff000000012a000000080000000316000000000000000000050000',
  footer:
    '00000000000000070000003f0000000202b3c6dd8100200000000000000000000000210000000000000021ffffffffffffffffffffffffffff000000011a00000008000000040600000000',
  kraft:
    '0000000000000007000000410000000202b44f70d200200000000000000000000000210000000000000021ffffffffffffffffffffffffffff000000011e00000008000000050a000000010000',
};

describe('the bytes are those of Kafka', () => {
  const at = { baseOffset: 7, leaderEpoch: 2, timestampMs: 33 };
  const marker = { coordinatorEpoch: 12, producerId: 4711, producerEpoch: 3, timestampMs: 99 };
  const voters = [{ voterId: 1 }];
  test.each([
    ['commit', transactionMarkerBatch({ ...marker, commit: true })],
    ['abort', transactionMarkerBatch({ ...marker, commit: false })],
    ['leaderChange', controlBatch([leaderChangeRecord({ leaderId: 1, voters, grantingVoters: voters })], at)],
    ['header', controlBatch([snapshotHeaderRecord({ lastContainedLogTimestamp: 5 })], at)],
    ['footer', controlBatch([snapshotFooterRecord({})], at)],
    ['kraft', controlBatch([kraftVersionRecord({ kRaftVersion: 1 })], at)],
  ] as const)('%s', (name, bytes) => {
    expect(bytes.toString('hex')).toBe(KAFKAS[name]);
  });
});
