import { describe, expect, test } from 'vitest';
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
        leaderChangeRecord({ version: 0, leaderId: 1, voters: [{ voterId: 1 }], grantingVoters: [{ voterId: 1 }] }),
        leaderChangeRecord({ version: 1, leaderId: 1, voters: [voter], grantingVoters: [] }),
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
    expect(records.map((r) => [r.offset, r.timestamp])).toEqual([7, 8, 9, 10, 11, 12].map((offset) => [offset, 33]));
    const read = records.map(readControlRecord);
    expect(read.map((r) => r.type)).toEqual([
      'leader-change',
      'leader-change',
      'snapshot-header',
      'snapshot-footer',
      'kraft-version',
      'kraft-voters',
    ]);
    expect(read[1]).toMatchObject({ value: { version: 1, leaderId: 1, voters: [voter] } });
    expect(read[5]).toMatchObject({ value: { voters: [{ endpoints: [{ port: 65_000 }] }] } });
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
