import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { offsetFetch } from '../../../src/api/09-offset-fetch.ts';
import { listGroups } from '../../../src/api/16-list-groups.ts';
import { consumerGroupHeartbeat } from '../../../src/api/68-consumer-group-heartbeat.ts';
import { expectSameAfterReplay, liveShard } from '../durable-state.ts';
import { GroupBroker, type GroupBrokerOptions, topic } from '../group-broker.ts';
import { committed, joined } from '../protocol.ts';
import { describedGroup, settle, TestMember } from './member.ts';

const AT_ONCE = { 'group.consumer.assignment.interval.ms': '0' };

function newBroker(config: Record<string, string> = {}, options: GroupBrokerOptions = {}): GroupBroker {
  return new GroupBroker({ partitionCount: 1, ...options, config: { ...AT_ONCE, ...config } });
}

const tId = topic('t', 4).id;
const all = [0, 1, 2, 3].map((partition) => `${tId}/${partition}`);

describe('members', () => {
  it('get all partitions alone, and share them when there are more', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    expect(await a.beat()).toMatchObject({ errorCode: 0, memberId: 'a', memberEpoch: 2, heartbeatIntervalMs: 5000 });
    expect(a.owned).toEqual(all);
    await b.beat();
    expect(b.owned).toEqual([]);
    await settle(a, b);
    expect([...a.owned, ...b.owned].sort()).toEqual(all);
    expect([a.owned.length, b.owned.length]).toEqual([2, 2]);
    expect(await describedGroup(broker)).toMatchObject({ groupState: 'Stable', groupEpoch: 3, assignmentEpoch: 3 });
    expectSameAfterReplay(broker);
  });

  it('wait for partitions until those who have them have given them up', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await a.beat();
    await b.beat();
    expect((await describedGroup(broker)).groupState).toBe('Reconciling');
    // a is told what to keep, and has not said yet that it has given the rest up
    await a.beat();
    expect(a.owned).toHaveLength(2);
    await b.beat();
    expect(b.owned).toEqual([]);
    await a.beat();
    await b.beat();
    expect(b.owned).toHaveLength(2);
    expectSameAfterReplay(broker);
  });

  it('are not told twice what they know', async () => {
    const broker = newBroker();
    const a = new TestMember(broker, 'a');
    expect((await a.beat()).assignment).not.toBeNull();
    expect((await a.beat()).assignment).toBeNull();
    const full = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['t'], topicPartitions: [] };
    expect((await a.beat(full)).assignment).not.toBeNull();
  });

  it('get an id from the coordinator in version 0', async () => {
    const broker = newBroker();
    const join = { groupId: 'g', rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] };
    const { memberId } = await broker.call(consumerGroupHeartbeat, 0, join);
    expect(memberId).toHaveLength(22);
    expect((await describedGroup(broker)).members.map((m) => m.memberId)).toEqual([memberId]);
    const refused = await broker.call(consumerGroupHeartbeat, 1, join);
    expect(refused).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage: "MemberId can't be empty." });
  });

  it('follow new partitions and topics', async () => {
    const broker = newBroker({}, { topics: [topic('t', 2)] });
    const a = new TestMember(broker, 'a', { subscribedTopicNames: ['t', 'later'] });
    await settle(a);
    expect(a.owned).toHaveLength(2);
    broker.topics.set('t', topic('t', 3));
    await settle(a);
    expect(a.owned).toHaveLength(3);
    broker.topics.set('later', topic('later', 2));
    await settle(a);
    expect(a.owned).toHaveLength(5);
    broker.topics.delete('t');
    await settle(a);
    expect(a.owned).toHaveLength(2);
    expectSameAfterReplay(broker);
  });

  it('do not enter another epoch for topics that are not theirs', async () => {
    const broker = newBroker();
    const a = new TestMember(broker, 'a');
    await settle(a);
    broker.topics.set('other', topic('other', 2));
    await settle(a);
    expect(a.epoch).toBe(2);
  });

  it('may be as many as group.consumer.max.size', async () => {
    const broker = newBroker({ 'group.consumer.max.size': '1' });
    await new TestMember(broker, 'a').beat();
    const refused = await new TestMember(broker, 'b').beat();
    expect(refused.errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED);
    expect(refused.errorMessage).toBe('The consumer group has reached its maximum capacity of 1 members.');
  });

  it('leave nothing when their first record cannot be written', async () => {
    const broker = newBroker();
    broker.log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    const a = new TestMember(broker, 'a');
    expect((await a.beat()).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    broker.log.refuse = null;
    expect(liveShard(broker, 0).groups.size).toBe(0);
    expect((await a.beat()).memberEpoch).toBe(2);
    expect(a.owned).toEqual(all);
    await broker.clock.advance(100_000);
    expect((await describedGroup(broker)).groupState).toBe('Empty');
  });
});

describe('a new target assignment', () => {
  it('waits until the last one is old enough', async () => {
    const broker = newBroker({ 'group.consumer.assignment.interval.ms': '1000' });
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await a.beat();
    await b.beat();
    expect(await describedGroup(broker)).toMatchObject({ groupState: 'Assigning', groupEpoch: 3, assignmentEpoch: 2 });
    await broker.clock.advance(1000);
    await settle(a, b);
    expect(await describedGroup(broker)).toMatchObject({ groupState: 'Stable', groupEpoch: 3, assignmentEpoch: 3 });
  });

  it('comes as often as the group itself has it configured', async () => {
    const broker = newBroker({ 'group.consumer.assignment.interval.ms': '1000' });
    broker.configure('g', { 'consumer.assignment.interval.ms': '0' });
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await settle(a, b);
    expect(await describedGroup(broker)).toMatchObject({ groupState: 'Stable', groupEpoch: 3, assignmentEpoch: 3 });
  });
});

describe('sessions', () => {
  it('end without heartbeats, and the partitions go to the others', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await settle(a, b);
    await broker.clock.advance(44_000);
    await a.beat();
    await broker.clock.advance(2000);
    await settle(a);
    expect(a.owned).toEqual(all);
    expect((await b.beat()).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expectSameAfterReplay(broker);
  });

  it('last as long as the group itself has it configured', async () => {
    const broker = newBroker({ 'group.consumer.min.session.timeout.ms': '100' });
    broker.configure('g', { 'consumer.session.timeout.ms': '500', 'consumer.heartbeat.interval.ms': '6000' });
    const a = new TestMember(broker, 'a');
    expect((await a.beat()).heartbeatIntervalMs).toBe(6000);
    await broker.clock.advance(600);
    expect((await a.beat()).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('begin anew when another coordinator has loaded the group', async () => {
    const broker = newBroker();
    const a = new TestMember(broker, 'a');
    await a.beat();
    await broker.clock.advance(30_000);
    const next = newBroker({}, { log: broker.log, clock: broker.clock });
    broker.groups.close();
    await broker.clock.advance(30_000);
    expect((await describedGroup(next)).members).toHaveLength(1);
    await broker.clock.advance(20_000);
    expect((await describedGroup(next)).members).toHaveLength(0);
  });

  it('end for who does not give partitions up in its rebalance timeout, heartbeats or not', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await a.beat({ rebalanceTimeoutMs: 10_000 });
    await b.beat();
    await a.send();
    for (let i = 0; i < 9; i++) {
      await broker.clock.advance(1000);
      expect((await a.send({ topicPartitions: null })).errorCode).toBe(0);
    }
    await broker.clock.advance(2000);
    expect((await a.send()).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    await settle(b);
    expect(b.owned).toEqual(all);
  });

  it('of a rebalance go on where another coordinator has loaded the group', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await a.beat({ rebalanceTimeoutMs: 10_000 });
    await b.beat();
    await a.send();
    const next = newBroker({}, { log: broker.log, clock: broker.clock });
    broker.groups.close();
    await broker.clock.advance(11_000);
    expect((await describedGroup(next)).members.map((m) => m.memberId)).toEqual(['b']);
  });
});

describe('epochs', () => {
  it('fence who is ahead, or behind by more than a lost answer', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await settle(a, b);
    expect(a.epoch).toBe(3);
    for (const memberEpoch of [4, 1]) {
      expect((await a.send({ memberEpoch })).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH);
    }
  });

  it('forgive a lost answer to who owns no more than it should', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await a.beat();
    await b.beat();
    await a.beat();
    const kept = a.owned;
    await a.send();
    expect(a.epoch).toBe(2);
    const again = await a.beat();
    expect([again.errorCode, again.memberEpoch, a.owned]).toEqual([0, 3, kept]);
  });
});

describe('offsets', () => {
  it('are committed in the present epoch, or an earlier one since which the member has the partition', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a'), new TestMember(broker, 'b')];
    await a.beat();
    expect(await a.commit('t', 0, 5)).toBe(0);
    expect(await a.commit('t', 0, 5, 3)).toBe(ErrorCode.STALE_MEMBER_EPOCH);
    expect(await a.commit('t', 0, 5, 1)).toBe(ErrorCode.STALE_MEMBER_EPOCH);
    await settle(a, b);
    const mine = Number(a.owned[0].split('/')[1]);
    const others = Number(b.owned[0].split('/')[1]);
    expect([a.epoch, await a.commit('t', mine, 6, 2)]).toEqual([3, 0]);
    expect(await a.commit('t', others, 6, 2)).toBe(ErrorCode.STALE_MEMBER_EPOCH);
    expect(await b.commit('t', others, 6, 2)).toBe(ErrorCode.STALE_MEMBER_EPOCH);
  });

  it('are fetched in the present epoch, or by nobody in particular', async () => {
    const broker = newBroker();
    const a = new TestMember(broker, 'a');
    await a.beat();
    const topics = [{ name: 't', partitionIndexes: [0] }];
    const fetch = async (memberId: string | null, memberEpoch: number) => {
      const groups = [{ groupId: 'g', memberId, memberEpoch, topics }];
      return (await broker.call(offsetFetch, 9, { groups })).groups[0].errorCode;
    };
    expect(await fetch(null, -1)).toBe(0);
    expect(await fetch('a', 2)).toBe(0);
    expect(await fetch('a', 1)).toBe(ErrorCode.STALE_MEMBER_EPOCH);
    expect(await fetch('x', 2)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('expire with time in topics that nobody reads, and the empty group with the last of them', async () => {
    const broker = newBroker({ 'offsets.retention.minutes': '1' });
    const a = new TestMember(broker, 'a');
    await a.beat();
    expect(await a.commit('t', 0, 5)).toBe(0);
    expect(await a.commit('u', 0, 5)).toBe(0);
    for (let i = 0; i < 20; i++) {
      await broker.clock.advance(40_000);
      await a.beat();
    }
    const shard = liveShard(broker, 0);
    expect([shard.offsets.has('g', 't', 0), shard.offsets.has('g', 'u', 0)]).toEqual([true, false]);
    await a.leave();
    await broker.clock.advance(700_000);
    expect(shard.groups.size).toBe(0);
    expectSameAfterReplay(broker);
  });
});

describe('static members', () => {
  const named = { instanceId: 'i' };

  it('have their partitions kept for a session', async () => {
    const broker = newBroker();
    const [a, b] = [new TestMember(broker, 'a', named), new TestMember(broker, 'b')];
    await settle(a, b);
    const { owned } = a;
    await a.leave(-2);
    await settle(b);
    expect(b.owned).toHaveLength(2);
    const c = new TestMember(broker, 'c', named);
    await c.beat();
    expect([c.owned, c.epoch]).toEqual([owned, 3]);
    expect((await a.send()).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expectSameAfterReplay(broker);
    await c.leave(-2);
    await broker.clock.advance(44_000);
    await b.beat();
    await broker.clock.advance(2000);
    await settle(b);
    expect(b.owned).toEqual(all);
  });

  it('do not take the place of one that is there', async () => {
    const broker = newBroker();
    await new TestMember(broker, 'a', named).beat();
    const refused = await new TestMember(broker, 'b', named).beat();
    expect(refused.errorCode).toBe(ErrorCode.UNRELEASED_INSTANCE_ID);
  });
});

describe('regular expressions', () => {
  const byRegex = { subscribedTopicNames: null, subscribedTopicRegex: 't.*' };

  it('bring the topics that match, those that come later too', async () => {
    const broker = newBroker();
    const a = new TestMember(broker, 'a', byRegex);
    await a.beat();
    expect(a.owned).toEqual([]);
    await broker.clock.advance(1);
    await settle(a);
    expect(a.owned).toEqual(all);
    broker.topics.set('tt', topic('tt', 1));
    await broker.clock.advance(10_000);
    await a.beat();
    // not matched again within ten seconds of the last time
    expect(a.owned).toHaveLength(4);
    await broker.clock.advance(1);
    await settle(a);
    await broker.clock.advance(1);
    await settle(a);
    expect(a.owned).toHaveLength(5);
    expectSameAfterReplay(broker);
    await a.leave();
    expect(liveShard(broker, 0).groups.get('g')?.isSubscribedTo('t')).toBe(false);
    expectSameAfterReplay(broker);
  });

  it('are refused where they are none', async () => {
    const broker = newBroker();
    const a = new TestMember(broker, 'a', { subscribedTopicNames: null, subscribedTopicRegex: '(?=t)' });
    expect((await a.beat()).errorCode).toBe(ErrorCode.INVALID_REGULAR_EXPRESSION);
  });
});

describe('groups of other kinds', () => {
  it('are listed by kind and state', async () => {
    const broker = newBroker();
    await new TestMember(broker, 'a').beat();
    const list = async (typesFilter: string[], statesFilter: string[] = []) =>
      (await broker.call(listGroups, 5, { typesFilter, statesFilter })).groups;
    const listed = { groupId: 'g', groupType: 'consumer', groupState: 'Stable', protocolType: 'consumer' };
    expect(await list(['Consumer'])).toMatchObject([listed]);
    expect(await list([], ['stable'])).toMatchObject([listed]);
    expect(await list(['classic'])).toEqual([]);
  });

  it('give way where they are empty, and keep their offsets', async () => {
    const broker = newBroker();
    await committed(broker, 'g', 7);
    const a = new TestMember(broker, 'a');
    await a.beat();
    await a.leave();
    expect(liveShard(broker, 0).groups.get('g')?.type).toBe('consumer');
    await joined(broker, 'g');
    const shard = liveShard(broker, 0);
    expect([shard.groups.get('g')?.type, shard.offsets.has('g', 't', 0)]).toEqual(['classic', true]);
    expectSameAfterReplay(broker);
  });
});
