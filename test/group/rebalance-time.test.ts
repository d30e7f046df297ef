/** How long rebalances take and sessions last; each was observed the same on Apache Kafka 4.3.1. */
import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { GroupBroker } from './group-broker.ts';
import { beat, committed, described, joined, pending, stableGroup, startJoin, synced } from './protocol.ts';

const SHORT = { sessionTimeoutMs: 1000, rebalanceTimeoutMs: 2000 };

function brokerWithDelay(delayMs: number): GroupBroker {
  const times = { 'group.min.session.timeout.ms': '100', 'group.initial.rebalance.delay.ms': String(delayMs) };
  return new GroupBroker({ config: times });
}

/** Two members in generation 1, the leader first; nobody has synced. */
async function pair(broker: GroupBroker, first: object = SHORT, second: object = SHORT) {
  const [a, b] = await Promise.all([joined(broker, 'g', first), joined(broker, 'g', second)]);
  return { a, b, leader: a.leader === a.memberId ? a : b, follower: a.leader === a.memberId ? b : a };
}

describe('the initial rebalance', () => {
  it('waits its delay, and again for as long as members come', async () => {
    const broker = brokerWithDelay(600);
    const a = pending(startJoin(broker, 'g', SHORT));
    await broker.clock.advance(300);
    const b = pending(startJoin(broker, 'g', SHORT));
    await broker.clock.advance(899);
    expect([a.answer, b.answer]).toEqual([null, null]);
    await broker.clock.advance(1);
    expect([a.answer?.generationId, b.answer?.generationId]).toEqual([1, 1]);
  });

  it('waits no longer than the rebalance timeout', async () => {
    const broker = brokerWithDelay(600);
    const joins = [pending(startJoin(broker, 'g', SHORT))];
    for (let i = 0; i < 6; i++) {
      await broker.clock.advance(333);
      joins.push(pending(startJoin(broker, 'g', SHORT)));
    }
    expect(joins[0].answer).toBeNull();
    await broker.clock.advance(3);
    expect(joins.map((j) => j.answer?.generationId)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it('ends though everybody has left', async () => {
    const broker = brokerWithDelay(600);
    const waiting = pending(startJoin(broker, 'g', SHORT));
    await broker.clock.advance(1);
    expect((await described(broker, 'g')).groupState).toBe('PreparingRebalance');
    broker.groups.classic.leaveGroup('g', [
      { memberId: (await described(broker, 'g')).members[0].memberId, groupInstanceId: null, reason: null },
    ]);
    await broker.clock.advance(1);
    expect(waiting.answer?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    await broker.clock.advance(600);
    expect(await described(broker, 'g')).toMatchObject({ groupState: 'Empty', members: [] });
  });
});

describe('a session', () => {
  it('ends when no heartbeat and no commit comes', async () => {
    const broker = brokerWithDelay(0);
    const a = await stableGroup(broker, 'g', SHORT);
    for (let i = 0; i < 3; i++) {
      await broker.clock.advance(900);
      expect(await beat(broker, 'g', a)).toBe(0);
      await broker.clock.advance(900);
      expect(await committed(broker, 'g', i, a)).toBe(0);
    }
    await broker.clock.advance(1001);
    expect(await beat(broker, 'g', a)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await described(broker, 'g')).toMatchObject({ groupState: 'Empty', members: [] });
  });

  it('that ends makes the others rebalance', async () => {
    const broker = brokerWithDelay(0);
    const { b, leader, follower } = await pair(broker, SHORT, { ...SHORT, sessionTimeoutMs: 100_000 });
    await synced(broker, 'g', leader);
    await synced(broker, 'g', follower);
    await broker.clock.advance(1100);
    const { groupState, members } = await described(broker, 'g');
    expect(groupState).toBe('PreparingRebalance');
    expect(members.map((m) => m.memberId)).toEqual([b.memberId]);
  });

  it('does not end while the member waits for the others', async () => {
    const broker = brokerWithDelay(0);
    const { leader, follower } = await pair(broker, { ...SHORT, rebalanceTimeoutMs: 60_000 });
    const waiting = pending(synced(broker, 'g', follower));
    for (let i = 0; i < 9; i++) {
      await broker.clock.advance(900);
      await beat(broker, 'g', leader);
    }
    expect(waiting.answer).toBeNull();
    await synced(broker, 'g', leader, { [follower.memberId]: 'F' });
    await broker.clock.advance(900);
    expect(waiting.answer?.assignment).toEqual(Buffer.from('F'));
    expect(await beat(broker, 'g', follower)).toBe(0);
  });

  it('of a member that has never had an answer lasts five minutes', async () => {
    const broker = brokerWithDelay(0);
    const slow = { ...SHORT, rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 1_000_000 };
    await stableGroup(broker, 'g', slow);
    const b = pending(startJoin(broker, 'g', SHORT));
    await broker.clock.advance(5 * 60_000 - 10);
    expect(b.answer).toBeNull();
    await broker.clock.advance(10);
    expect(b.answer).toMatchObject({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: '' });
  });
});

describe('a rebalance', () => {
  it('goes on without those who do not come in time', async () => {
    const broker = brokerWithDelay(0);
    const { leader, follower } = await pair(broker, { ...SHORT, sessionTimeoutMs: 50_000 });
    await synced(broker, 'g', leader);
    const back = pending(
      startJoin(broker, 'g', {
        ...SHORT,
        memberId: follower.memberId,
        protocols: [{ name: 'range', metadata: Buffer.from('x') }],
      }),
    );
    await broker.clock.advance(1999);
    expect(back.answer).toBeNull();
    await broker.clock.advance(1);
    expect(back.answer).toMatchObject({ generationId: 2, leader: follower.memberId });
    expect(await beat(broker, 'g', leader)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('begins anew when a member never asks for its assignment', async () => {
    const broker = brokerWithDelay(0);
    const { leader, follower } = await pair(broker, { ...SHORT, sessionTimeoutMs: 20_000 });
    const waiting = pending(synced(broker, 'g', follower));
    await broker.clock.advance(1900);
    expect(waiting.answer).toBeNull();
    await broker.clock.advance(100);
    expect(waiting.answer?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(await beat(broker, 'g', leader)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    const next = await startJoin(broker, 'g', { ...SHORT, memberId: follower.memberId });
    expect(next).toMatchObject({ generationId: 2, leader: follower.memberId });
  });

  it('waits for static members until their session ends', async () => {
    const broker = brokerWithDelay(0);
    const timeouts = { sessionTimeoutMs: 3000, rebalanceTimeoutMs: 1000 };
    await stableGroup(broker, 'g', { ...timeouts, groupInstanceId: 'a' });
    const b = pending(startJoin(broker, 'g', { ...timeouts, sessionTimeoutMs: 10_000, groupInstanceId: 'b' }, 5));
    await broker.clock.advance(999);
    expect(b.answer).toBeNull();
    await broker.clock.advance(1);
    // a keeps its place, though it has not come; b leads
    expect(b.answer?.members.map((m) => m.groupInstanceId).sort()).toEqual(['a', 'b']);
    expect(b.answer?.leader).toBe(b.answer?.memberId);
  });
});
