/** KIP-345 and KIP-814. */
import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { offsetCommit } from '../../src/api/08-offset-commit.ts';
import { heartbeat } from '../../src/api/12-heartbeat.ts';
import { leaveGroup } from '../../src/api/13-leave-group.ts';
import { GroupBroker } from './group-broker.ts';
import {
  beat,
  described,
  joined,
  pending,
  protocols,
  stableGroup,
  startJoin,
  subscription,
  synced,
} from './protocol.ts';

const A = { groupInstanceId: 'a' };
const B = { groupInstanceId: 'b' };

it('joins with its first request, under its own name', async () => {
  const broker = new GroupBroker();
  const a = await joined(broker, 'g', A, 5);
  expect(a).toMatchObject({ errorCode: 0, generationId: 1, members: [{ groupInstanceId: 'a' }] });
  expect(a.memberId).toMatch(/^a-[0-9a-f]{8}-/);
});

describe('a static member that comes back', () => {
  it.each([5, 8])('takes its place without a rebalance (version %i): it is not told to lead', async (version) => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'g', A);
    const appends = broker.log.appends;
    const back = await startJoin(broker, 'g', A, version);
    expect(back).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: a.memberId,
      members: [],
      skipAssignment: false,
    });
    expect(back.memberId).not.toBe(a.memberId);
    expect(broker.log.appends).toBe(appends + 1);
    expect((await synced(broker, 'g', back)).assignment).toEqual(Buffer.from('of g'));
    const { members } = await described(broker, 'g');
    expect(members.map((m) => m.memberId)).toEqual([back.memberId]);
  });

  it('leads on, but is told not to assign, from version 9 on', async () => {
    const broker = new GroupBroker();
    await stableGroup(broker, 'g', A);
    const back = await startJoin(broker, 'g', A, 9);
    expect(back).toMatchObject({ generationId: 1, leader: back.memberId, skipAssignment: true });
    expect(back.members).toMatchObject([{ memberId: back.memberId, groupInstanceId: 'a' }]);
  });

  it('keeps its place under the new subscription too', async () => {
    const broker = new GroupBroker();
    await stableGroup(broker, 'g', A);
    const metadata = subscription('t', 'u');
    expect((await startJoin(broker, 'g', { ...A, protocols: [{ name: 'range', metadata }] }, 9)).generationId).toBe(1);
    expect((await described(broker, 'g')).members[0].memberMetadata).toEqual(metadata);
  });

  it('makes the group rebalance when its strategy goes', async () => {
    const broker = new GroupBroker();
    await stableGroup(broker, 'g', { ...A, protocols: protocols('range', 'sticky') });
    const back = await startJoin(broker, 'g', { ...A, protocols: protocols('sticky') }, 9);
    expect(back).toMatchObject({ generationId: 2, protocolName: 'sticky', leader: back.memberId });
  });

  it('makes the group rebalance while it completes one', async () => {
    const broker = new GroupBroker();
    await joined(broker, 'g', A, 5);
    const back = await startJoin(broker, 'g', A, 5);
    expect(back).toMatchObject({ generationId: 2, leader: back.memberId });
  });

  it('fences whoever waits under its old id', async () => {
    const broker = new GroupBroker();
    const [a, b] = await Promise.all([joined(broker, 'g', A, 5), joined(broker, 'g', B, 5)]);
    const [leader, follower, instance] = a.leader === a.memberId ? [a, b, B] : [b, a, A];
    const syncing = pending(synced(broker, 'g', follower));
    const back = pending(startJoin(broker, 'g', instance, 5));
    await broker.clock.advance(1);
    expect(syncing.answer?.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
    const again = pending(startJoin(broker, 'g', instance, 5));
    await broker.clock.advance(1);
    expect(back.answer).toMatchObject({ errorCode: ErrorCode.FENCED_INSTANCE_ID });
    const leading = await startJoin(broker, 'g', { memberId: leader.memberId }, 5);
    await broker.clock.advance(0);
    expect([leading.generationId, again.answer?.generationId]).toEqual([2, 2]);
  });

  it('changes nothing when that cannot be written', async () => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'g', A);
    broker.log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    expect((await startJoin(broker, 'g', A, 9)).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    broker.log.refuse = null;
    expect(await beat(broker, 'g', a)).toBe(0);
  });
});

describe('the old id', () => {
  it('is fenced everywhere', async () => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'g', A);
    const { memberId } = await startJoin(broker, 'g', A, 5);
    const old = { groupId: 'g', memberId: a.memberId, groupInstanceId: 'a' };
    expect((await startJoin(broker, 'g', { ...A, memberId: a.memberId }, 5)).errorCode).toBe(
      ErrorCode.FENCED_INSTANCE_ID,
    );
    const beating = await broker.call(heartbeat, 3, { ...old, generationId: 1 });
    expect(beating.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }];
    const topics = [{ name: 't', partitions }];
    const commit = await broker.call(offsetCommit, 7, { ...old, generationIdOrMemberEpoch: 1, topics });
    expect(commit.topics[0].partitions[0].errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expect((await startJoin(broker, 'g', { ...B, memberId }, 5)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });
});

describe('an administrator', () => {
  it('removes static members by their instance ids', async () => {
    const broker = new GroupBroker();
    await Promise.all([joined(broker, 'g', A, 5), joined(broker, 'g', B, 5)]);
    const members = [
      { memberId: '', groupInstanceId: 'a' },
      { memberId: 'wrong', groupInstanceId: 'b' },
      { memberId: 'wrong', groupInstanceId: 'c' },
      { memberId: '', groupInstanceId: 'c' },
    ];
    const answer = await broker.call(leaveGroup, 4, { groupId: 'g', members });
    expect(answer.members.map((m) => m.errorCode)).toEqual([
      0,
      ErrorCode.FENCED_INSTANCE_ID,
      ErrorCode.UNKNOWN_MEMBER_ID,
      ErrorCode.UNKNOWN_MEMBER_ID,
    ]);
    expect((await described(broker, 'g')).members.map((m) => m.groupInstanceId)).toEqual(['b']);
  });
});
