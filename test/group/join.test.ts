import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { joinGroup } from '../../src/api/11-join-group.ts';
import { leaveGroup } from '../../src/api/13-leave-group.ts';
import { syncGroup } from '../../src/api/14-sync-group.ts';
import { GroupBroker } from './group-broker.ts';
import {
  beat,
  committed,
  described,
  joined,
  joinRequest,
  left,
  pending,
  protocols,
  stableGroup,
  startJoin,
  synced,
} from './protocol.ts';

const VERSIONS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

describe.each(VERSIONS)('JoinGroup %i', (version) => {
  it('makes a first member the leader of generation 1', async () => {
    const broker = new GroupBroker();
    const first = await joined(broker, 'g', {}, version);
    expect(first.memberId).toMatch(/^client-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    let answer = first;
    if (version >= 4) {
      expect(first).toMatchObject({
        errorCode: ErrorCode.MEMBER_ID_REQUIRED,
        generationId: -1,
        protocolName: version >= 7 ? null : '',
        leader: '',
      });
      answer = await joined(broker, 'g', { memberId: first.memberId }, version);
    }
    expect(answer).toMatchObject({
      errorCode: 0,
      generationId: 1,
      memberId: first.memberId,
      leader: first.memberId,
      protocolName: 'range',
      protocolType: version >= 7 ? 'consumer' : null,
      skipAssignment: false,
      members: [{ memberId: first.memberId, groupInstanceId: null, metadata: protocols('range')[0].metadata }],
    });
  });

  it('refuses a member id that nobody gave out', async () => {
    const broker = new GroupBroker();
    expect(await startJoin(broker, 'g', { memberId: 'x' }, version)).toMatchObject({
      errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
      memberId: 'x',
      generationId: -1,
    });
    expect((await described(broker, 'g')).groupState).toBe('Dead');
  });
});

describe('who may join', () => {
  it.each([
    ['an empty group id', { groupId: '' }, ErrorCode.INVALID_GROUP_ID],
    ['a session that is too short', { sessionTimeoutMs: 5999 }, ErrorCode.INVALID_SESSION_TIMEOUT],
    ['a session that is too long', { sessionTimeoutMs: 1_800_001 }, ErrorCode.INVALID_SESSION_TIMEOUT],
    ['no strategy', { protocols: [] }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    ['no protocol type', { protocolType: '' }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
  ])('not with %s', async (_what, more, errorCode) => {
    const broker = new GroupBroker();
    expect(await startJoin(broker, 'g', more)).toMatchObject({ errorCode, memberId: '', generationId: -1 });
  });

  it.each([
    ['another strategy', { protocols: protocols('sticky') }],
    ['another protocol type', { protocolType: 'connect' }],
  ])('not with %s than the members', async (_what, more) => {
    const broker = new GroupBroker();
    await stableGroup(broker, 'g');
    expect((await startJoin(broker, 'g', more)).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect((await described(broker, 'g')).groupState).toBe('Stable');
  });

  it('not more than the group may have', async () => {
    const broker = new GroupBroker({ config: { 'group.max.size': '2' } });
    const a = pending(startJoin(broker, 'g'));
    const b = pending(startJoin(broker, 'g'));
    await broker.clock.advance(1);
    expect([a.answer?.errorCode, b.answer?.errorCode]).toEqual([0, 0]);
    expect(await startJoin(broker, 'g')).toMatchObject({ errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED, memberId: '' });
    expect((await described(broker, 'g')).members).toHaveLength(2);
  });

  it('those out of step who come last when the maximum was lowered', async () => {
    const broker = new GroupBroker();
    const members = await Promise.all([joined(broker, 'g'), joined(broker, 'g'), joined(broker, 'g')]);
    const leader = members.find((m) => m.leader === m.memberId) ?? members[0];
    await synced(broker, 'g', leader);
    const smaller = new GroupBroker({ log: broker.log, clock: broker.clock, config: { 'group.max.size': '2' } });
    // the loaded group is over its size and rebalances at once
    expect((await described(smaller, 'g')).groupState).toBe('PreparingRebalance');
    const back = members.map(({ memberId }) => pending(startJoin(smaller, 'g', { memberId })));
    const codes = () => back.map((b) => b.answer?.errorCode);
    await smaller.clock.advance(1);
    expect(codes()).toEqual([undefined, undefined, ErrorCode.GROUP_MAX_SIZE_REACHED]);
    await smaller.clock.advance(20_000);
    expect(codes()).toEqual([0, 0, ErrorCode.GROUP_MAX_SIZE_REACHED]);
  });
});

describe('an id given out', () => {
  it('is no member yet', async () => {
    const broker = new GroupBroker();
    const { memberId } = await startJoin(broker, 'g', {}, 5);
    expect(await beat(broker, 'g', { memberId, generationId: 0 })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await described(broker, 'g')).toMatchObject({ groupState: 'Empty', members: [], protocolType: '' });
  });

  it('holds up a rebalance until its session ends', async () => {
    const broker = new GroupBroker();
    const { memberId } = await stableGroup(broker, 'g');
    const late = await startJoin(broker, 'g', { sessionTimeoutMs: 7000 }, 5);
    const again = pending(startJoin(broker, 'g', { memberId }));
    await broker.clock.advance(6900);
    expect(again.answer).toBeNull();
    await broker.clock.advance(200);
    expect(again.answer?.generationId).toBe(2);
    expect((await startJoin(broker, 'g', { memberId: late.memberId }, 5)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('may be given back', async () => {
    const broker = new GroupBroker();
    const { memberId } = await stableGroup(broker, 'g');
    const late = await startJoin(broker, 'g', {}, 5);
    expect((await left(broker, 'g', late.memberId)).members[0].errorCode).toBe(0);
    expect((await joined(broker, 'g', { memberId })).generationId).toBe(2);
  });

  it('is not for a static member', async () => {
    const broker = new GroupBroker();
    const { memberId } = await startJoin(broker, 'g', {}, 5);
    const answer = await startJoin(broker, 'g', { memberId, groupInstanceId: 'i' }, 5);
    expect(answer.errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
  });
});

describe('a member that joins again', () => {
  it('is told its generation while the group is stable and nothing changed', async () => {
    const broker = new GroupBroker();
    const [a, b] = await Promise.all([joined(broker, 'g'), joined(broker, 'g')]);
    const [leader, follower] = a.leader === a.memberId ? [a, b] : [b, a];
    await synced(broker, 'g', leader);
    const answer = await startJoin(broker, 'g', { memberId: follower.memberId });
    expect(answer).toMatchObject({ errorCode: 0, generationId: 1, leader: leader.memberId, members: [] });
    expect((await described(broker, 'g')).groupState).toBe('Stable');
  });

  it.each([
    ['as the leader', {}],
    ['with other metadata', { protocols: [{ name: 'range', metadata: Buffer.from('other') }] }],
    ['with one strategy more', { protocols: protocols('range', 'sticky') }],
  ])('begins a rebalance %s', async (_what, more) => {
    const broker = new GroupBroker();
    const { memberId } = await stableGroup(broker, 'g');
    expect((await startJoin(broker, 'g', { memberId, ...more })).generationId).toBe(2);
  });

  it('takes the place of its own earlier request', async () => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'g');
    const b = pending(startJoin(broker, 'g'));
    await broker.clock.advance(1);
    await synced(broker, 'g', a);
    expect(b.answer).toBeNull();
    const memberId = (await described(broker, 'g')).members.find((m) => m.memberId !== a.memberId)?.memberId;
    const again = pending(startJoin(broker, 'g', { memberId }));
    await broker.clock.advance(1);
    expect(b.answer?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    const back = await joined(broker, 'g', { memberId: a.memberId });
    expect([back.generationId, again.answer?.generationId]).toEqual([2, 2]);
  });
});

describe('the strategy', () => {
  it.each([
    [
      [
        ['range', 'sticky'],
        ['sticky', 'range'],
        ['sticky', 'range'],
      ],
      'sticky',
    ],
    [
      [
        ['a', 'b', 'c'],
        ['c', 'b'],
        ['b', 'c', 'd'],
      ],
      'b',
    ],
    [[['a', 'b'], ['b']], 'b'],
  ])('%j: most members prefer %s of those that all know', async (offers, chosen) => {
    const broker = new GroupBroker();
    const joins = offers.map((names) => joined(broker, 'g', { protocols: protocols(...names) }));
    const answers = await Promise.all(joins);
    expect(new Set(answers.map((a) => a.protocolName))).toEqual(new Set([chosen]));
  });
});

describe('SyncGroup', () => {
  it('waits for the leader, and gives each its own', async () => {
    const broker = new GroupBroker();
    const [a, b] = await Promise.all([joined(broker, 'g'), joined(broker, 'g')]);
    const [leader, follower] = a.leader === a.memberId ? [a, b] : [b, a];
    const waiting = pending(synced(broker, 'g', follower));
    await broker.clock.advance(1);
    expect(waiting.answer).toBeNull();
    const own = await synced(broker, 'g', leader, { [follower.memberId]: 'F', stranger: 'S' });
    await broker.clock.advance(0);
    expect(own).toMatchObject({ errorCode: 0, assignment: Buffer.alloc(0) });
    expect(waiting.answer).toMatchObject({ errorCode: 0, assignment: Buffer.from('F') });
    expect((await synced(broker, 'g', follower)).assignment).toEqual(Buffer.from('F'));
  });

  it.each([
    ['no group', { groupId: '' }, ErrorCode.INVALID_GROUP_ID],
    ['an unknown group', { groupId: 'other' }, ErrorCode.UNKNOWN_MEMBER_ID],
    ['an unknown member', { memberId: 'x' }, ErrorCode.UNKNOWN_MEMBER_ID],
    ['an unknown instance', { groupInstanceId: 'i' }, ErrorCode.UNKNOWN_MEMBER_ID],
    ['another generation', { generationId: 2 }, ErrorCode.ILLEGAL_GENERATION],
    ['another protocol type', { protocolType: 'connect' }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    ['another strategy', { protocolName: 'sticky' }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    ['no word of the strategy', { protocolName: null }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
  ])('is refused with %s', async (_what, more, errorCode) => {
    const broker = new GroupBroker();
    const { memberId } = await joined(broker, 'g');
    const request = { groupId: 'g', memberId, generationId: 1, protocolType: 'consumer', protocolName: 'range' };
    expect((await broker.call(syncGroup, 5, { ...request, ...more })).errorCode).toBe(errorCode);
  });

  it('is refused during a rebalance, and those who wait are sent back', async () => {
    const broker = new GroupBroker();
    const [a, b] = await Promise.all([joined(broker, 'g'), joined(broker, 'g')]);
    const [leader, follower] = a.leader === a.memberId ? [a, b] : [b, a];
    const waiting = pending(synced(broker, 'g', follower));
    pending(startJoin(broker, 'g'));
    await broker.clock.advance(1);
    expect(waiting.answer?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect((await synced(broker, 'g', leader)).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });
});

describe('Heartbeat', () => {
  it('knows states, generations and members', async () => {
    const broker = new GroupBroker();
    const a = await joined(broker, 'g');
    expect(await beat(broker, 'g', a)).toBe(0);
    await synced(broker, 'g', a);
    expect(await beat(broker, 'g', a)).toBe(0);
    expect(await beat(broker, 'g', { ...a, generationId: 2 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await beat(broker, 'g', { ...a, memberId: 'x' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await beat(broker, 'other', a)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await beat(broker, '', a)).toBe(ErrorCode.INVALID_GROUP_ID);
    pending(startJoin(broker, 'g'));
    await broker.clock.advance(1);
    expect(await beat(broker, 'g', a)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });
});

describe('LeaveGroup', () => {
  it.each([0, 1, 2])('%i has one result for the one who leaves', async (version) => {
    const broker = new GroupBroker();
    const { memberId } = await stableGroup(broker, 'g');
    const leave = (id: string, groupId = 'g') => broker.call(leaveGroup, version, { groupId, memberId: id });
    expect((await leave('x')).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect((await leave(memberId, 'other')).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect((await leave(memberId)).errorCode).toBe(0);
    expect((await leave(memberId)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect((await leave(memberId, '')).errorCode).toBe(ErrorCode.INVALID_GROUP_ID);
  });

  it('empties the group in a generation of its own', async () => {
    const broker = new GroupBroker();
    const { memberId } = await stableGroup(broker, 'g');
    const answer = await left(broker, 'g', memberId, 'x', '');
    expect(answer.errorCode).toBe(0);
    expect(answer.members.map((m) => m.errorCode)).toEqual([
      0,
      ErrorCode.UNKNOWN_MEMBER_ID,
      ErrorCode.UNKNOWN_MEMBER_ID,
    ]);
    expect(await described(broker, 'g')).toMatchObject({ groupState: 'Empty', protocolType: 'consumer', members: [] });
    expect((await joined(broker, 'g')).generationId).toBe(3);
  });

  it('lets the others rebalance, under a new leader where it was the leader', async () => {
    const broker = new GroupBroker();
    const [a, b] = await Promise.all([joined(broker, 'g'), joined(broker, 'g')]);
    const [leader, follower] = a.leader === a.memberId ? [a, b] : [b, a];
    await synced(broker, 'g', leader);
    await left(broker, 'g', leader.memberId);
    expect(await beat(broker, 'g', follower)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    const next = await startJoin(broker, 'g', { memberId: follower.memberId });
    expect(next).toMatchObject({ generationId: 2, leader: follower.memberId });
    expect(next.members).toHaveLength(1);
  });

  it('sends a member that waits to join back to the beginning', async () => {
    const broker = new GroupBroker();
    const a = await stableGroup(broker, 'g');
    const b = pending(startJoin(broker, 'g'));
    await broker.clock.advance(1);
    const memberId = (await described(broker, 'g')).members.find((m) => m.memberId !== a.memberId)?.memberId ?? '';
    await left(broker, 'g', memberId);
    await broker.clock.advance(0);
    expect(b.answer).toMatchObject({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: '' });
  });
});

describe('a member that commits', () => {
  it('must be in the present generation', async () => {
    const broker = new GroupBroker();
    const a = await joined(broker, 'g');
    expect(await committed(broker, 'g', 1, a)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    await synced(broker, 'g', a);
    expect(await committed(broker, 'g', 1, a)).toBe(0);
    expect(await committed(broker, 'g', 1, { ...a, generationId: 0 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await committed(broker, 'g', 1, { ...a, generationId: -1 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await committed(broker, 'g', 1, { ...a, memberId: 'x' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await committed(broker, 'g', 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    pending(startJoin(broker, 'g'));
    await broker.clock.advance(1);
    expect(await committed(broker, 'g', 2, a)).toBe(0);
  });
});

it('answers with COORDINATOR_NOT_AVAILABLE or NOT_COORDINATOR where it does not coordinate', async () => {
  const broker = new GroupBroker({ elected: false });
  expect((await startJoin(broker, 'g')).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
  expect(await beat(broker, 'g', { memberId: 'x', generationId: 1 })).toBe(ErrorCode.NOT_COORDINATOR);
  expect((await described(broker, 'g')).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
  broker.elect();
  const waiting = pending(broker.call(joinGroup, 3, joinRequest('g')));
  const { memberId } = await stableGroup(broker, 'h');
  const b = pending(startJoin(broker, 'h'));
  broker.groups.close();
  await broker.clock.advance(1);
  expect(waiting.answer?.errorCode).toBe(0);
  expect(b.answer?.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
  expect(await beat(broker, 'h', { memberId, generationId: 1 })).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  expect((await startJoin(broker, 'h')).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
});
