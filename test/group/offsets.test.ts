import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { offsetCommit } from '../../src/api/08-offset-commit.ts';
import { offsetFetch } from '../../src/api/09-offset-fetch.ts';
import { listGroups } from '../../src/api/16-list-groups.ts';
import { deleteGroups } from '../../src/api/42-delete-groups.ts';
import { offsetDelete } from '../../src/api/47-offset-delete.ts';
import { GroupBroker, topic } from './group-broker.ts';
import { committed, described, left, stableGroup, subscription } from './protocol.ts';

const { UNKNOWN_TOPIC_OR_PARTITION, OFFSET_METADATA_TOO_LARGE } = ErrorCode;
const UNKNOWN_ID = topic('unknown', 1).id;
const COMMIT_VERSIONS = [2, 3, 4, 5, 6, 7, 8, 9, 10];
const FETCH_VERSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

interface PartitionInput {
  partitionIndex: number;
  committedOffset: number | bigint;
  committedMetadata: string | null;
  committedLeaderEpoch?: number;
}

const offset = (partitionIndex: number, committedOffset: number | bigint, committedMetadata: string | null = '') => ({
  partitionIndex,
  committedOffset,
  committedMetadata,
});

/** A topic as this version names it. */
function named(broker: GroupBroker, version: number, name: string) {
  return version >= 10 ? { topicId: broker.topics.get(name)?.id ?? UNKNOWN_ID } : { name };
}

async function commit(
  broker: GroupBroker,
  version: number,
  topics: Record<string, PartitionInput[]>,
  more: object = {},
) {
  const list = Object.entries(topics).map(([name, partitions]) => ({ ...named(broker, version, name), partitions }));
  const answer = await broker.call(offsetCommit, version, { groupId: 'g', topics: list, ...more });
  return answer.topics.map((t) => [
    nameOf(broker, t.name, t.topicId),
    Object.fromEntries(t.partitions.map((p) => [p.partitionIndex, p.errorCode])),
  ]);
}

/** Offsets by topic and partition as [offset, leader epoch, metadata, error]; null topics ask for all. */
async function fetch(
  broker: GroupBroker,
  version: number,
  topics: Record<string, number[]> | null,
  groupId = 'g',
  requireStable = false,
) {
  const wanted =
    topics &&
    Object.entries(topics).map(([name, partitionIndexes]) => ({ ...named(broker, version, name), partitionIndexes }));
  const stable = version >= 7 ? { requireStable } : {};
  const request =
    version >= 8 ? { groups: [{ groupId, topics: wanted }], ...stable } : { groupId, topics: wanted, ...stable };
  const answer = await broker.call(offsetFetch, version, request);
  const group = version >= 8 ? answer.groups[0] : answer;
  const found = group.topics.map((t) => [
    nameOf(broker, t.name, 'topicId' in t ? t.topicId : ZERO_UUID),
    Object.fromEntries(
      t.partitions.map((p) => [p.partitionIndex, [p.committedOffset, p.committedLeaderEpoch, p.metadata, p.errorCode]]),
    ),
  ]);
  return { errorCode: group.errorCode, topics: Object.fromEntries(found) };
}

function nameOf(broker: GroupBroker, name: string, topicId: string): string {
  return name || ([...broker.topics.values()].find((t) => t.id === topicId)?.name ?? 'nix');
}

describe.each(COMMIT_VERSIONS)('OffsetCommit %i', (version) => {
  const unknown = version >= 10 ? ErrorCode.UNKNOWN_TOPIC_ID : UNKNOWN_TOPIC_OR_PARTITION;

  it('takes what it can and says what it cannot', async () => {
    const broker = new GroupBroker();
    const answer = await commit(broker, version, {
      t: [offset(0, 5, 'm'), offset(9, 5), offset(1, 7, null)],
      nix: [offset(0, 1)],
      u: [offset(1, 1, 'x'.repeat(4097)), offset(0, -5, 'x'.repeat(4096))],
    });
    expect(Object.fromEntries(answer)).toEqual({
      t: { 0: 0, 1: 0, 9: UNKNOWN_TOPIC_OR_PARTITION },
      nix: { 0: unknown },
      u: { 0: 0, 1: OFFSET_METADATA_TOO_LARGE },
    });
    expect(await fetch(broker, 5, null)).toEqual({
      errorCode: 0,
      topics: { t: { 0: [5, -1, 'm', 0], 1: [7, -1, '', 0] }, u: { 0: [-5, -1, 'x'.repeat(4096), 0] } },
    });
    expect(await described(broker, 'g')).toMatchObject({ groupState: 'Empty', protocolType: '' });
  });

  it('does not ask about the group when nothing is left to commit', async () => {
    const broker = new GroupBroker({ elected: false });
    expect(await commit(broker, version, { nix: [offset(0, 1)] })).toEqual([['nix', { 0: unknown }]]);
    expect(await commit(broker, version, {})).toEqual([]);
    expect(await commit(broker, version, { t: [offset(0, 1)] })).toEqual([['t', { 0: ErrorCode.NOT_COORDINATOR }]]);
  });

  it('refuses a member of a group that does not exist', async () => {
    const broker = new GroupBroker();
    const member = { memberId: 'x', generationIdOrMemberEpoch: 3 };
    const errorCode = version >= 9 ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION;
    expect(await commit(broker, version, { t: [offset(0, 1)] }, member)).toEqual([['t', { 0: errorCode }]]);
    await commit(broker, version, { t: [offset(0, 1)] });
    expect(await commit(broker, version, { t: [offset(0, 2)] }, member)).toEqual([
      ['t', { 0: ErrorCode.UNKNOWN_MEMBER_ID }],
    ]);
  });

  it('keeps every offset that 64 bits can hold, and the leader epoch', async () => {
    const broker = new GroupBroker();
    const largest = 9223372036854775807n;
    const epoch = version >= 6 ? { committedLeaderEpoch: 3 } : {};
    await commit(broker, version, { t: [{ ...offset(0, largest), ...epoch }] });
    expect((await fetch(broker, 5, null)).topics).toEqual({ t: { 0: [largest, version >= 6 ? 3 : -1, '', 0] } });
  });
});

describe.each(FETCH_VERSIONS)('OffsetFetch %i', (version) => {
  const hasEpoch = version >= 5;
  const none = [-1, -1, '', 0];

  it('has -1 for what was never committed', async () => {
    const broker = new GroupBroker();
    await commit(broker, 10, { t: [{ ...offset(0, 5, 'm'), committedLeaderEpoch: 2 }] });
    expect(await fetch(broker, version, { t: [0, 1, 44], u: [0] })).toEqual({
      errorCode: 0,
      topics: { t: { 0: [5, hasEpoch ? 2 : -1, 'm', 0], 1: none, 44: none }, u: { 0: none } },
    });
    expect((await fetch(broker, version, { t: [0] }, 'other')).topics).toEqual({ t: { 0: none } });
    expect((await fetch(broker, version, { t: [0] }, '')).topics).toEqual({ t: { 0: none } });
  });

  it('says so where it does not coordinate', async () => {
    const broker = new GroupBroker({ elected: false });
    for (const requireStable of [false, true]) {
      const answer = await fetch(broker, version, { t: [0] }, 'g', requireStable);
      if (version >= 2) expect(answer).toEqual({ errorCode: ErrorCode.NOT_COORDINATOR, topics: {} });
      else expect(answer.topics).toEqual({ t: { 0: [-1, -1, '', ErrorCode.NOT_COORDINATOR] } });
    }
  });
});

describe('OffsetFetch', () => {
  it('asks for many groups at once', async () => {
    const broker = new GroupBroker();
    await committed(broker, 'a', 1);
    await committed(broker, 'b', 2);
    const groups = ['a', 'b', 'c'].map((groupId) => ({ groupId, topics: null }));
    const answer = await broker.call(offsetFetch, 8, { groups, requireStable: true });
    expect(answer.groups.map((g) => [g.groupId, g.topics[0]?.partitions[0].committedOffset])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', undefined],
    ]);
    expect((await broker.call(offsetFetch, 8, { groups: [] })).groups).toEqual([]);
  });

  it('answers an unknown topic id with an error, and forgets topics that are gone where all are asked for', async () => {
    const broker = new GroupBroker();
    await commit(broker, 10, { t: [offset(0, 1)], u: [offset(0, 2)] });
    broker.topics.delete('u');
    expect((await fetch(broker, 10, null)).topics).toEqual({ t: { 0: [1, -1, '', 0] } });
    expect((await fetch(broker, 10, { u: [0] })).topics).toEqual({
      nix: { 0: [-1, -1, '', ErrorCode.UNKNOWN_TOPIC_ID] },
    });
    expect((await fetch(broker, 9, { u: [0] })).topics).toEqual({ u: { 0: [2, -1, '', 0] } });
  });

  it('does not give a topic the offsets of one that had its name before', async () => {
    const broker = new GroupBroker();
    await commit(broker, 10, { t: [offset(0, 1)] });
    broker.topics.set('t', topic('t', 4, 1));
    expect((await fetch(broker, 10, { t: [0] })).topics).toEqual({ t: { 0: [-1, -1, '', 0] } });
    await commit(broker, 10, { t: [offset(0, 3)] });
    expect((await fetch(broker, 10, { t: [0] })).topics).toEqual({ t: { 0: [3, -1, '', 0] } });
  });
});

describe('OffsetDelete', () => {
  const remove = async (broker: GroupBroker, groupId: string, topics: Record<string, number[]>) => {
    const list = Object.entries(topics).map(([name, indexes]) => ({
      name,
      partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
    }));
    const { errorCode, topics: answered } = await broker.call(offsetDelete, 0, { groupId, topics: list });
    const codes = answered.map((t) => [t.name, t.partitions.map((p) => [p.partitionIndex, p.errorCode])]);
    return { errorCode, topics: Object.fromEntries(codes) };
  };

  it('deletes offsets of an empty group', async () => {
    const broker = new GroupBroker();
    await commit(broker, 8, { t: [offset(0, 1), offset(1, 2)] });
    expect(await remove(broker, 'g', { t: [0, 2, 99], nix: [0] })).toEqual({
      errorCode: 0,
      topics: {
        t: [
          [99, UNKNOWN_TOPIC_OR_PARTITION],
          [0, 0],
          [2, 0],
        ],
        nix: [[0, UNKNOWN_TOPIC_OR_PARTITION]],
      },
    });
    expect((await fetch(broker, 5, null)).topics).toEqual({ t: { 1: [2, -1, '', 0] } });
  });

  it.each([
    ['', ErrorCode.INVALID_GROUP_ID],
    ['other', ErrorCode.GROUP_ID_NOT_FOUND],
  ])('refuses group %j', async (groupId, errorCode) => {
    expect(await remove(new GroupBroker(), groupId, { t: [0] })).toEqual({ errorCode, topics: {} });
    expect(await remove(new GroupBroker(), groupId, { nix: [0] })).toEqual({ errorCode, topics: {} });
  });

  it('leaves alone what the members of the group read', async () => {
    const broker = new GroupBroker();
    await stableGroup(broker, 'g', { protocols: [{ name: 'range', metadata: subscription('t') }] });
    expect((await remove(broker, 'g', { t: [0], u: [0] })).topics).toEqual({
      t: [[0, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC]],
      u: [[0, 0]],
    });
  });

  it('takes consumers whose subscription it cannot read to read everything', async () => {
    const broker = new GroupBroker();
    await stableGroup(broker, 'g', { protocols: [{ name: 'range', metadata: Buffer.from('\0\x01junk') }] });
    expect((await remove(broker, 'g', { u: [0] })).topics).toEqual({ u: [[0, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC]] });
  });

  it('refuses while the group has members that are not consumers', async () => {
    const broker = new GroupBroker();
    await stableGroup(broker, 'g', { protocolType: 'connect' });
    expect(await remove(broker, 'g', { t: [0] })).toEqual({ errorCode: ErrorCode.NON_EMPTY_GROUP, topics: {} });
  });
});

describe.each([0, 1, 2])('DeleteGroups %i', (version) => {
  it('deletes groups without members, and their offsets', async () => {
    const broker = new GroupBroker();
    const member = await stableGroup(broker, 'g');
    await committed(broker, 'g', 1, member);
    await committed(broker, 'h', 1);
    const remove = async (...groupsNames: string[]) =>
      Object.fromEntries(
        (await broker.call(deleteGroups, version, { groupsNames })).results.map((r) => [r.groupId, r.errorCode]),
      );
    expect(await remove('g', 'h', 'g', 'i', '')).toEqual({
      g: ErrorCode.NON_EMPTY_GROUP,
      h: 0,
      i: ErrorCode.GROUP_ID_NOT_FOUND,
      '': ErrorCode.GROUP_ID_NOT_FOUND,
    });
    await left(broker, 'g', member.memberId);
    expect(await remove('g')).toEqual({ g: 0 });
    expect((await broker.call(listGroups, 4, {})).groups).toEqual([]);
    expect((await fetch(broker, 5, null)).topics).toEqual({});
    expect(await remove('g')).toEqual({ g: ErrorCode.GROUP_ID_NOT_FOUND });
  });
});

it('deletes a group with more offsets than one batch holds', async () => {
  const topics = Array.from({ length: 40 }, (_, i) => topic(`${i}`.padStart(200, 't'), 100));
  const broker = new GroupBroker({ topics });
  for (const { name } of topics) {
    await commit(broker, 8, { [name]: Array.from({ length: 100 }, (_, p) => offset(p, 1)) });
  }
  const before = broker.log.appends;
  expect((await broker.call(deleteGroups, 2, { groupsNames: ['g'] })).results[0].errorCode).toBe(0);
  expect(broker.log.appends).toBeGreaterThan(before + 1);
  expect((await fetch(broker, 5, null)).topics).toEqual({});
});
