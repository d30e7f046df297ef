import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../../protocol/errors.ts';
import { joinGroup } from '../../../src/api/11-join-group.ts';
import { syncGroup } from '../../../src/api/14-sync-group.ts';
import { expectSameAfterReplay, liveShard } from '../durable-state.ts';
import { GroupBroker, topic } from '../group-broker.ts';
import { beat, type Identity, joined, left, startJoin, subscription } from '../protocol.ts';
import { settle, TestMember } from './member.ts';

const AT_ONCE = { 'group.consumer.assignment.interval.ms': '0' };
const newBroker = (config: Record<string, string> = {}) =>
  new GroupBroker({ partitionCount: 1, config: { ...AT_ONCE, ...config } });

const kindOf = (broker: GroupBroker) => liveShard(broker, 0).groups.get('g')?.type;
const tId = topic('t', 4).id;

/** A ConsumerProtocolAssignment of partitions of t. */
function assignment(partitions: readonly number[], userData = -1): Buffer {
  const ints = [1, 0, partitions.length, ...partitions].map((value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  });
  const data = Buffer.alloc(userData < 0 ? 4 : 4 + userData);
  data.writeInt32BE(userData);
  return Buffer.concat([Buffer.from([0, 1]), ints[0], Buffer.from([0, 1, 't'.charCodeAt(0)]), ...ints.slice(2), data]);
}

/** A stable classic group with one member that has all partitions of t. */
async function classicGroup(broker: GroupBroker, bytes = assignment([0, 1, 2, 3])): Promise<Identity> {
  const member = await joined(broker, 'g', {
    protocols: [{ name: 'cooperative-sticky', metadata: subscription('t') }],
  });
  const { memberId, generationId } = member;
  await broker.call(syncGroup, 3, {
    groupId: 'g',
    memberId,
    generationId,
    assignments: [{ memberId, assignment: bytes }],
  });
  return member;
}

const rejoin = (broker: GroupBroker, memberId: string) =>
  broker.call(joinGroup, 9, {
    groupId: 'g',
    memberId,
    protocolType: 'consumer',
    protocols: [{ name: 'cooperative-sticky', metadata: subscription('t') }],
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 20_000,
  });

describe('a classic group', () => {
  it('becomes a consumer group with the first member of that protocol, and a classic one without the last', async () => {
    const broker = newBroker();
    const classic = await classicGroup(broker);
    const a = new TestMember(broker, 'a');
    await a.beat();
    expect([kindOf(broker), a.owned]).toEqual(['consumer', []]);
    expectSameAfterReplay(broker);
    expect(await beat(broker, 'g', classic)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    await rejoin(broker, classic.memberId);
    const { generationId } = await rejoin(broker, classic.memberId);
    expect(await beat(broker, 'g', { ...classic, generationId })).toBe(0);
    await settle(a);
    expect(a.owned).toHaveLength(2);
    expectSameAfterReplay(broker);
    await a.leave();
    expect(kindOf(broker)).toBe('classic');
    expect(liveShard(broker, 0).groups.get('g')?.members.size).toBe(1);
    expect(await beat(broker, 'g', { ...classic, generationId })).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    const again = await joinWhile(broker, classic.memberId);
    expect(again.errorCode).toBe(0);
  });

  it('has whoever waits for its rebalance join the consumer group', async () => {
    const broker = newBroker({ 'group.initial.rebalance.delay.ms': '10000' });
    const waiting = startJoin(broker, 'g', { protocols: [{ name: 'range', metadata: subscription('t') }] });
    await broker.clock.advance(1);
    const a = new TestMember(broker, 'a');
    expect((await a.beat()).errorCode).toBe(0);
    expect((await waiting).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(liveShard(broker, 0).groups.get('g')?.members.size).toBe(2);
  });

  it.each([
    ['online upgrade is disabled', { 'group.consumer.migration.policy': 'downgrade' }, {}, assignment([0])],
    ['the group does not use the consumer embedded protocol', {}, { protocolType: 'connect' }, assignment([0])],
    ['the embedded consumer protocol is malformed', {}, {}, Buffer.from([0, 1, 9])],
    ['an unsupported custom assignor is in use', {}, {}, assignment([0], 3)],
    ['the group size exceeds the consumer group maximum size', { 'group.consumer.max.size': '1' }, { two: true }, null],
  ])(
    'stays one where %s',
    async (why, config, { protocolType, two }: { protocolType?: string; two?: boolean }, bytes) => {
      const broker = newBroker(config);
      if (two) {
        const protocols = [{ name: 'range', metadata: subscription('t') }];
        await Promise.all([joined(broker, 'g', { protocols }), startJoin(broker, 'g', { protocols })]);
      } else if (protocolType === undefined) await classicGroup(broker, bytes ?? undefined);
      else await joined(broker, 'g', { protocolType });
      const refused = await new TestMember(broker, 'a').beat();
      expect(refused.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
      expect(refused.errorMessage).toContain(`Cannot upgrade classic group g to consumer group because ${why}`);
      expect(kindOf(broker)).toBe('classic');
    },
  );
});

describe('members of the classic protocol', () => {
  it('are put out when their session ends, or when they do not join or sync in time', async () => {
    const broker = newBroker();
    const a = new TestMember(broker, 'a');
    await a.beat();
    const first = await rejoin(broker, 'c');
    expect(first).toMatchObject({ memberId: 'c', leader: '', protocolName: 'cooperative-sticky', members: [] });
    const size = () => liveShard(broker, 0).groups.get('g')?.members.size;
    await broker.clock.advance(9000);
    expect(await beat(broker, 'g', first)).toBe(0);
    await broker.clock.advance(9000);
    expect(await beat(broker, 'g', first)).toBe(0);
    expect(size()).toBe(2);
    // twenty seconds after it joined it has not asked for its assignment
    await broker.clock.advance(3000);
    expect(size()).toBe(1);
    await rejoin(broker, 'd');
    await broker.clock.advance(11_000);
    expect(size()).toBe(1);
    expectSameAfterReplay(broker);
  });

  it('may not join where migration is disabled', async () => {
    const broker = newBroker({ 'group.consumer.migration.policy': 'disabled' });
    await new TestMember(broker, 'a').beat();
    expect((await rejoin(broker, 'c')).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  });

  it('leave by LeaveGroup, and give up what they had', async () => {
    const broker = newBroker();
    const a = new TestMember(broker, 'a');
    await a.beat();
    await rejoin(broker, 'c');
    await settle(a);
    expect(a.owned).toHaveLength(2);
    const { members } = await left(broker, 'g', 'c', 'nobody');
    expect(members.map((m) => m.errorCode)).toEqual([0, ErrorCode.UNKNOWN_MEMBER_ID]);
    await settle(a);
    expect(a.owned).toEqual([0, 1, 2, 3].map((partition) => `${tId}/${partition}`));
  });
});

/** Joins a classic group, whose rebalance ends with time. */
async function joinWhile(broker: GroupBroker, memberId: string) {
  const joining = rejoin(broker, memberId);
  await broker.clock.advance(1);
  return joining;
}
