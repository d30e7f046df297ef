/** When committed offsets go by themselves (KIP-211), and with their topics. */
import { describe, expect, it } from 'vitest';
import { offsetCommit } from '../../src/api/08-offset-commit.ts';
import { offsetFetch } from '../../src/api/09-offset-fetch.ts';
import { listGroups } from '../../src/api/16-list-groups.ts';
import { GroupBroker, topic } from './group-broker.ts';
import { beat, committed, type Identity, left, stableGroup, startJoin, subscription } from './protocol.ts';

const MINUTE = 60_000;
/** Offsets are kept for ten minutes, and looked at every minute. */
const config = { 'offsets.retention.minutes': '10', 'offsets.retention.check.interval.ms': String(MINUTE) };
const LONG = { sessionTimeoutMs: 1_800_000 };

const listed = async (broker: GroupBroker) => (await broker.call(listGroups, 4, {})).groups.map((g) => g.groupId);
const kept = async (broker: GroupBroker, groupId = 'g') =>
  (await broker.call(offsetFetch, 5, { groupId, topics: null })).topics.flatMap((t) =>
    t.partitions.map((p) => `${t.name}-${p.partitionIndex}`),
  );

describe('offsets expire', () => {
  it('after their commit, where there is no group around them', async () => {
    const broker = new GroupBroker({ config });
    await committed(broker, 'g', 1);
    await broker.clock.advance(5.5 * MINUTE);
    await committed(broker, 'g', 1, {}, 1);
    await broker.clock.advance(4 * MINUTE);
    expect(await kept(broker)).toEqual(['t-0', 't-1']);
    await broker.clock.advance(MINUTE);
    expect(await kept(broker)).toEqual(['t-1']);
    expect(await listed(broker)).toEqual(['g']);
    await broker.clock.advance(6 * MINUTE);
    expect(await kept(broker)).toEqual([]);
    expect(await listed(broker)).toEqual([]);
  });

  it('after the last member has left, all at once, and the group with them', async () => {
    const broker = new GroupBroker({ config });
    const member = await stableGroup(broker, 'g', LONG);
    await committed(broker, 'g', 1, member);
    await broker.clock.advance(20 * MINUTE);
    expect(await kept(broker)).toEqual(['t-0']);
    await left(broker, 'g', member.memberId);
    await broker.clock.advance(9.5 * MINUTE);
    expect(await kept(broker)).toEqual(['t-0']);
    await broker.clock.advance(1.5 * MINUTE);
    expect(await listed(broker)).toEqual([]);
  });

  it('in a living group only for topics that its members no longer read', async () => {
    const broker = new GroupBroker({ config });
    const member = await stableGroup(broker, 'g', {
      ...LONG,
      protocols: [{ name: 'range', metadata: subscription('t') }],
    });
    await committed(broker, 'g', 1, member);
    await committed(broker, 'g', 1, member, 0, 'u');
    await broker.clock.advance(11 * MINUTE);
    expect(await kept(broker)).toEqual(['t-0']);
    expect(await beat(broker, 'g', member)).toBe(0);
  });

  it.each([
    ['other than consumers', { protocolType: 'connect' }],
    [
      'with a subscription that cannot be read',
      { protocols: [{ name: 'range', metadata: Buffer.from('\0\x01junk') }] },
    ],
  ])('never in a living group of members %s', async (_what, more) => {
    const broker = new GroupBroker({ config });
    const member: Identity = await stableGroup(broker, 'g', { ...LONG, ...more });
    await committed(broker, 'g', 1, member, 0, 'u');
    await broker.clock.advance(20 * MINUTE);
    expect(await kept(broker)).toEqual(['u-0']);
  });

  it('after the retention that an old client asked for', async () => {
    const broker = new GroupBroker({ config });
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }];
    const request = { groupId: 'g', retentionTimeMs: 15 * MINUTE, topics: [{ name: 't', partitions }] };
    await broker.call(offsetCommit, 4, request);
    await broker.clock.advance(14.5 * MINUTE);
    expect(await kept(broker)).toEqual(['t-0']);
    await broker.clock.advance(MINUTE);
    expect(await kept(broker)).toEqual([]);
  });
});

it('forgets a group that nobody came to join', async () => {
  const broker = new GroupBroker({ config });
  await startJoin(broker, 'g', {}, 5);
  expect(await listed(broker)).toEqual(['g']);
  await broker.clock.advance(1.5 * MINUTE);
  expect(await listed(broker)).toEqual([]);
});

it('forgets the offsets of a deleted topic in every group, but not those of its successor', async () => {
  const broker = new GroupBroker();
  const old = broker.topics.get('t') ?? topic('t', 4);
  await committed(broker, 'g', 1);
  await committed(broker, 'g', 1, {}, 0, 'u');
  await committed(broker, 'h', 1);
  broker.topics.set('t', topic('t', 4, 1));
  await committed(broker, 'i', 1);
  broker.groups.onTopicsDeleted([old]);
  expect([await kept(broker, 'g'), await kept(broker, 'h'), await kept(broker, 'i')]).toEqual([['u-0'], [], ['t-0']]);
});

it('looks for expired offsets until it is closed', async () => {
  const broker = new GroupBroker({ config });
  broker.groups.close();
  expect(broker.clock.pending).toBe(0);
});
