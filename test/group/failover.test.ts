import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { StoredRecord } from '../../src/coordinator/log.ts';
import { offsetTombstone } from '../../src/group/offsets/records.ts';
import { encodeRecord, type GroupRecord } from '../../src/group/records.ts';
import { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { settle } from '../support/virtual-clock.ts';
import { expectSameAfterReplay, liveShard, loadedShard } from './durable-state.ts';
import { GroupBroker } from './group-broker.ts';
import {
  beat,
  committed,
  described,
  joined,
  left,
  pending,
  protocols,
  stableGroup,
  startJoin,
  synced,
} from './protocol.ts';

/** The next coordinator, over the same log. */
function successor({ log, clock }: GroupBroker): GroupBroker {
  return new GroupBroker({ log, clock });
}

describe('a new coordinator', () => {
  it('knows what the one before it knew', async () => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'stable', { protocols: protocols('range', 'sticky') });
    await committed(broker, 'stable', 5, a);
    await stableGroup(broker, 'static', { groupInstanceId: 'i' });
    await startJoin(broker, 'static', { groupInstanceId: 'i' }, 9);
    const gone = await stableGroup(broker, 'empty');
    await committed(broker, 'empty', 7, gone);
    await left(broker, 'empty', gone.memberId);
    await committed(broker, 'simple', 1);
    await committed(broker, 'simple', 2);
    await startJoin(broker, 'pending', {}, 5);
    expectSameAfterReplay(broker);

    const next = successor(broker);
    expectSameAfterReplay(next);
    expect(await beat(next, 'stable', a)).toBe(0);
    expect(await committed(next, 'stable', 6, a)).toBe(0);
    expect((await described(next, 'stable')).members[0].memberAssignment).toEqual(Buffer.from('of stable'));
    expect((await joined(next, 'empty')).generationId).toBe(3);
  });

  it('gives the members it finds a whole session', async () => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'g');
    await broker.clock.advance(9000);
    broker.groups.close();
    const next = successor(broker);
    await broker.clock.advance(9000);
    expect(await beat(next, 'g', a)).toBe(0);
    await broker.clock.advance(10_001);
    expect(await beat(next, 'g', a)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('falls back to the last generation that was completed', async () => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'g');
    const b = pending(startJoin(broker, 'g'));
    await broker.clock.advance(1);
    const second = await startJoin(broker, 'g', { memberId: a.memberId });
    expect(second.generationId).toBe(2);
    broker.groups.close();
    await settle();
    const next = successor(broker);
    expect(await beat(next, 'g', a)).toBe(0);
    expect(await beat(next, 'g', second)).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(b.answer?.generationId).toBe(2);
  });
});

describe('a log that commits later', () => {
  it('holds back the answers, not the heartbeats of other groups', async () => {
    const broker = new GroupBroker({ partitionCount: 1 });
    const other = await stableGroup(broker, 'other');
    broker.log.mode = 'held';
    const join = pending(startJoin(broker, 'g'));
    await broker.clock.advance(1);
    expect(join.answer).toBeNull();
    expect(await beat(broker, 'other', other)).toBe(0);
    broker.log.commit();
    await broker.clock.advance(1);
    const a = join.answer ?? expect.fail('no answer');
    expect(a.generationId).toBe(1);

    const sync = pending(synced(broker, 'g', a, { [a.memberId]: 'A' }));
    const beating = pending(beat(broker, 'g', a));
    await broker.clock.advance(1);
    expect([sync.answer, beating.answer]).toEqual([null, null]);
    broker.log.commit();
    await broker.clock.advance(1);
    expect([sync.answer?.errorCode, beating.answer]).toEqual([0, 0]);
  });

  it.each([
    ['NOT_LEADER_OR_FOLLOWER', ErrorCode.NOT_COORDINATOR],
    ['NOT_ENOUGH_REPLICAS', ErrorCode.COORDINATOR_NOT_AVAILABLE],
    ['MESSAGE_TOO_LARGE', ErrorCode.UNKNOWN_SERVER_ERROR],
  ] as const)('that fails with %s changes nothing, and members are told %i', async (errorName, told) => {
    const broker = new GroupBroker();
    const a = await joined(broker, 'g');
    broker.log.refuse = new KafkaError(errorName);
    expect((await synced(broker, 'g', a)).errorCode).toBe(told);
    expect((await described(broker, 'g')).groupState).toBe('PreparingRebalance');
    expect(await committed(broker, 'h', 1)).toBe(told);
    expect((await startJoin(broker, 'i')).errorCode).toBe(told);
    broker.log.refuse = null;
    expect((await described(broker, 'h')).groupState).toBe('Dead');
    expect((await described(broker, 'i')).groupState).toBe('Dead');
    expect((await startJoin(broker, 'g', { memberId: a.memberId })).generationId).toBe(2);
  });

  it('that fails does not keep the last member from leaving', async () => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'g');
    broker.log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    expect((await left(broker, 'g', a.memberId)).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    broker.log.refuse = null;
    expect((await described(broker, 'g')).groupState).toBe('Empty');
    expect((await joined(broker, 'g')).generationId).toBe(3);
  });

  it('and is too slow makes clients look for another coordinator', async () => {
    const broker = new GroupBroker();
    broker.log.mode = 'held';
    const commit = pending(committed(broker, 'g', 1));
    await broker.clock.advance(5000);
    expect(commit.answer).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    broker.log.commit();
    await settle();
    expect((await described(broker, 'g')).groupState).toBe('Empty');
  });
});

describe('a log that Apache Kafka wrote', () => {
  const put = (log: MemoryCoordinatorLog, record: GroupRecord | null, more: Partial<StoredRecord> = {}) => {
    const records = log.records(0);
    const bytes = record === null ? { key: Buffer.from([0, 0, 0, 0]), value: null } : encodeRecord(record);
    const plain = { offset: records.length, timestampMs: 0, producerId: -1, producerEpoch: -1, marker: null };
    records.push({ ...bytes, ...plain, ...more });
  };
  const offset = (value: number): GroupRecord => ({
    type: 'offset',
    groupId: 'g',
    topic: 't',
    partition: 0,
    value: {
      offset: value,
      leaderEpoch: -1,
      metadata: '',
      commitTimestampMs: 0,
      expireTimestampMs: -1,
      topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
    },
  });

  it('may hold transactions', () => {
    const log = new MemoryCoordinatorLog();
    put(log, offset(1));
    put(log, offset(2), { producerId: 5, producerEpoch: 0 });
    put(log, offset(3), { producerId: 6, producerEpoch: 0 });
    put(log, null, { producerId: 5, producerEpoch: 0, marker: 'commit' });
    put(log, null, { producerId: 6, producerEpoch: 0, marker: 'abort' });
    const { offsets } = loadedShard(log, 0);
    expect(offsets.committed.get('g', 't', 0)?.offset).toBe(2);
    expect(offsets.groupHasPending('g')).toBe(false);
  });

  it('may end a group and its offsets', () => {
    const log = new MemoryCoordinatorLog();
    put(log, offset(1));
    put(log, offsetTombstone('g', 't', 0));
    put(log, { type: 'classic', groupId: 'g', value: null });
    const shard = loadedShard(log, 0);
    expect([shard.groups.size, shard.offsets.groupIds().size]).toEqual([0, 0]);
  });

  it('may hold records of kinds that are not known, which are left alone', () => {
    const log = new MemoryCoordinatorLog();
    log.records(0).push({
      offset: 0,
      key: Buffer.from('7f00000167', 'hex'),
      value: Buffer.from('000000000000', 'hex'),
      timestampMs: 0,
      producerId: -1,
      producerEpoch: -1,
      marker: null,
    });
    put(log, offset(1));
    const broker = new GroupBroker({ log, partitionCount: 1 });
    expect(liveShard(broker, 0).groups.size).toBe(1);
    expect(broker.logger.of('warn')).toHaveLength(1);
  });
});
