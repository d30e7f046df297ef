import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { offsetCommit } from '../../../src/api/08-offset-commit.ts';
import { offsetFetch } from '../../../src/api/09-offset-fetch.ts';
import { deleteGroups } from '../../../src/api/42-delete-groups.ts';
import { StatusCode } from '../../../src/group/streams/status.ts';
import type { GroupBroker } from '../group-broker.ts';
import { topic } from '../group-broker.ts';
import { loadedStreams, streamsState } from './durable-streams.ts';
import * as streams from './protocol.ts';

const { GROUP, STATEFUL, beat, describeGroup, joining, liveGroup, owning, partitionsOf, streamsBroker } = streams;
const SESSION_MS = 45_000;

/** Two members in two processes, each with two of the four tasks. */
async function pair(broker: GroupBroker): Promise<void> {
  await beat(broker, 'a', joining('p1'));
  await beat(broker, 'b', joining('p2'));
  await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
  await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1]) });
  await beat(broker, 'b', { memberEpoch: 3, ...owning([]) });
}

const statusesOf = (answer: streams.Answer) => answer.status?.map(({ statusCode }) => statusCode);

describe('the tasks of members', () => {
  it('are all with the only one', async () => {
    const broker = streamsBroker();
    const answer = await beat(broker, 'a', joining('p1'));
    expect(answer).toMatchObject({
      errorCode: 0,
      memberId: 'a',
      memberEpoch: 2,
      heartbeatIntervalMs: 5000,
      status: [],
    });
    expect(partitionsOf(answer.activeTasks)).toEqual([0, 1, 2, 3]);
    expect(await describeGroup(broker)).toMatchObject({ groupState: 'Stable', groupEpoch: 2, assignmentEpoch: 2 });
  });

  it('go to the next one when they were given back, not before', async () => {
    const broker = streamsBroker();
    await beat(broker, 'a', joining('p1'));
    const second = await beat(broker, 'b', joining('p2'));
    expect(second).toMatchObject({ memberEpoch: 3, activeTasks: [] });
    const revoked = await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
    expect(revoked.memberEpoch).toBe(2);
    expect(partitionsOf(revoked.activeTasks)).toEqual([0, 1]);
    expect(partitionsOf((await beat(broker, 'b', { memberEpoch: 3, ...owning([]) })).activeTasks)).toBeNull();
    expect((await describeGroup(broker)).groupState).toBe('Reconciling');
    expect(await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1]) })).toMatchObject({ memberEpoch: 3 });
    expect(partitionsOf((await beat(broker, 'b', { memberEpoch: 3, ...owning([]) })).activeTasks)).toEqual([2, 3]);
    expect((await describeGroup(broker)).groupState).toBe('Stable');
  });

  it('have standbys in other processes, where that is asked for', async () => {
    const broker = streamsBroker({ config: { 'group.streams.num.standby.replicas': '1' } });
    await beat(broker, 'a', joining('p1', STATEFUL));
    await beat(broker, 'b', joining('p2', STATEFUL));
    await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
    const kept = await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1]) });
    expect(kept.standbyTasks).toBeNull();
    // until now it was on its way to give back the same tasks as active ones
    const copied = await beat(broker, 'a', { memberEpoch: 3, ...owning([0, 1]) });
    expect(partitionsOf(copied.standbyTasks)).toEqual([2, 3]);
    const given = await beat(broker, 'b', { memberEpoch: 3, ...owning([], [0, 1]) });
    expect(partitionsOf(given.activeTasks)).toEqual([2, 3]);
    expect(partitionsOf(given.standbyTasks)).toEqual([0, 1]);
  });

  it('are assigned anew when the configuration of the group changes', async () => {
    const broker = streamsBroker();
    await beat(broker, 'a', joining('p1', STATEFUL));
    broker.configure(GROUP, { 'streams.num.standby.replicas': '1' });
    expect(await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) })).toMatchObject({ memberEpoch: 3 });
    expect(liveGroup(broker).assignmentConfigs.get('num.standby.replicas')).toBe('1');
  });
});

describe('time', () => {
  it('ends the session of a member that is not heard of', async () => {
    const broker = streamsBroker();
    await pair(broker);
    await broker.clock.advance(SESSION_MS - 1);
    await beat(broker, 'a', { memberEpoch: 3 });
    await broker.clock.advance(1);
    expect([...liveGroup(broker).members.keys()]).toEqual(['a']);
    const answer = await beat(broker, 'a', { memberEpoch: 3, ...owning([0, 1]) });
    expect(partitionsOf(answer.activeTasks)).toEqual([0, 1, 2, 3]);
    expect(await beat(broker, 'b', { memberEpoch: 3 })).toMatchObject({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID });
  });

  it('ends the session later where that could not be written', async () => {
    const broker = streamsBroker();
    await beat(broker, 'a', joining('p1'));
    broker.log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    await broker.clock.advance(SESSION_MS);
    expect(liveGroup(broker).isEmpty()).toBe(false);
    broker.log.refuse = null;
    await broker.clock.advance(500);
    expect(liveGroup(broker).isEmpty()).toBe(true);
  });

  it('fences a member that keeps tasks it is to give back', async () => {
    const broker = streamsBroker();
    await beat(broker, 'a', joining('p1'));
    await beat(broker, 'b', joining('p2'));
    for (let i = 0; i < 19; i++) {
      await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
      await broker.clock.advance(1000);
    }
    expect(liveGroup(broker).members.has('a')).toBe(true);
    await broker.clock.advance(1000);
    expect(liveGroup(broker).members.has('a')).toBe(false);
    expect(partitionsOf((await beat(broker, 'b', { memberEpoch: 3, ...owning([]) })).activeTasks)).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it('does not fence one that gave them back', async () => {
    const broker = streamsBroker();
    await pair(broker);
    await broker.clock.advance(20_000);
    expect(liveGroup(broker).members.size).toBe(2);
  });

  it('passes before the first assignment, so that more members can come', async () => {
    const broker = streamsBroker({ config: { 'group.streams.initial.rebalance.delay.ms': '3000' } });
    const first = await beat(broker, 'a', joining('p1'));
    expect(first).toMatchObject({ memberEpoch: 1, activeTasks: [] });
    expect(statusesOf(first)).toEqual([StatusCode.ASSIGNMENT_DELAYED]);
    await broker.clock.advance(1000);
    await beat(broker, 'b', joining('p2'));
    expect((await describeGroup(broker)).groupState).toBe('Assigning');
    await broker.clock.advance(2000);
    expect((await describeGroup(broker)).groupState).toBe('Reconciling');
    expect(partitionsOf((await beat(broker, 'a', { memberEpoch: 1, ...owning([]) })).activeTasks)).toHaveLength(2);
    expect(partitionsOf((await beat(broker, 'b', { memberEpoch: 1, ...owning([]) })).activeTasks)).toHaveLength(2);
  });

  it('passes between two assignments', async () => {
    const broker = streamsBroker({ config: { 'group.streams.assignment.interval.ms': '1000' } });
    await beat(broker, 'a', joining('p1'));
    await broker.clock.advance(999);
    const early = await beat(broker, 'b', joining('p2'));
    expect(statusesOf(early)).toEqual([StatusCode.ASSIGNMENT_DELAYED]);
    expect(early.memberEpoch).toBe(2);
    await broker.clock.advance(1);
    expect(await beat(broker, 'b', { memberEpoch: 2, ...owning([]) })).toMatchObject({ memberEpoch: 3, status: [] });
  });
});

describe('topics', () => {
  const needy = {
    epoch: 0,
    subtopologies: [
      { subtopologyId: '0', sourceTopics: ['in'], repartitionSinkTopics: ['re'] },
      { subtopologyId: '1', repartitionSourceTopics: [{ name: 're' }], stateChangelogTopics: [{ name: 'new-log' }] },
    ],
  };

  it('that are internal and missing are created, as wide as they have to be', async () => {
    const broker = streamsBroker();
    const answer = await beat(broker, 'a', joining('p1', needy));
    expect(answer.status).toEqual([
      { statusCode: StatusCode.MISSING_INTERNAL_TOPICS, statusDetail: 'Internal topics are missing: re, new-log' },
    ]);
    expect((await describeGroup(broker)).groupState).toBe('NotReady');
    expect(['re', 'new-log'].map((name) => broker.topics.get(name)?.partitions.length)).toEqual([4, 4]);
    const found = await beat(broker, 'a', { memberEpoch: 2, ...owning([]) });
    expect(found.status).toEqual([]);
    expect(found.activeTasks?.map(({ subtopologyId, partitions }) => [subtopologyId, partitions.length])).toEqual([
      ['0', 4],
      ['1', 4],
    ]);
  });

  it('that vanish take the tasks with them', async () => {
    const broker = streamsBroker();
    await beat(broker, 'a', joining('p1'));
    broker.topics.delete('in');
    const gone = await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
    expect(statusesOf(gone)).toEqual([StatusCode.MISSING_SOURCE_TOPICS]);
    expect(gone.activeTasks).toEqual([]);
    broker.topics.set('in', topic('in', 2, 1));
    expect(await beat(broker, 'a', { memberEpoch: 2, ...owning([]) })).toMatchObject({ memberEpoch: 4, status: [] });
    const back = await beat(broker, 'a', { memberEpoch: 4, ...owning([]) });
    expect(partitionsOf(back.activeTasks)).toEqual([0, 1]);
  });

  it('are looked at again after records could not be written', async () => {
    const broker = streamsBroker();
    await beat(broker, 'a', joining('p1'));
    broker.topics.set('in', topic('in', 6, 1));
    broker.log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    const refused = await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
    expect(refused.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    broker.log.refuse = null;
    const answer = await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
    expect(partitionsOf(answer.activeTasks)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('another coordinator', () => {
  it('goes on from the log', async () => {
    const broker = streamsBroker({ config: { 'group.streams.num.standby.replicas': '1' } });
    await beat(broker, 'a', { ...joining('p1', STATEFUL), userEndpoint: { host: 'h', port: 65_535 }, rackId: 'r' });
    await beat(broker, 'b', joining('p2', STATEFUL));
    await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
    expect(streamsState(loadedStreams(broker.log, GROUP))).toEqual(streamsState(liveGroup(broker)));
    const next = streamsBroker({
      log: broker.log,
      clock: broker.clock,
      config: { 'group.streams.num.standby.replicas': '1' },
    });
    broker.groups.close();
    expect((await beat(next, 'a', { memberEpoch: 2, ...owning([0, 1]) })).memberEpoch).toBe(3);
    expect(partitionsOf((await beat(next, 'b', { memberEpoch: 3, ...owning([], [0, 1]) })).activeTasks)).toEqual([
      2, 3,
    ]);
  });

  it('gives members a session, and those who have tasks to give back their time', async () => {
    const broker = streamsBroker();
    await beat(broker, 'a', joining('p1'));
    await beat(broker, 'b', joining('p2'));
    await beat(broker, 'a', { memberEpoch: 2, ...owning([0, 1, 2, 3]) });
    broker.groups.close();
    const next = streamsBroker({ log: broker.log, clock: broker.clock });
    await next.clock.advance(19_999);
    expect([...liveGroup(next).members.keys()]).toEqual(['a', 'b']);
    await next.clock.advance(1);
    expect([...liveGroup(next).members.keys()]).toEqual(['b']);
    await next.clock.advance(SESSION_MS);
    expect(liveGroup(next).isEmpty()).toBe(true);
  });

  it('finds nothing of a group that was deleted', async () => {
    const broker = streamsBroker();
    await pair(broker);
    await beat(broker, 'a', { memberEpoch: -1 });
    await beat(broker, 'b', { memberEpoch: -1 });
    const { results } = await broker.call(deleteGroups, 2, { groupsNames: [GROUP] });
    expect(results[0].errorCode).toBe(0);
    expect(loadedStreams(broker.log, GROUP)).toBeUndefined();
  });
});

describe('offsets', () => {
  const commit = (broker: GroupBroker, memberId: string, epoch: number) =>
    broker.call(offsetCommit, 9, {
      groupId: GROUP,
      memberId,
      generationIdOrMemberEpoch: epoch,
      topics: [{ name: 'in', partitions: [{ partitionIndex: 3, committedOffset: 7, committedMetadata: '' }] }],
    });
  const fetched = async (broker: GroupBroker) => {
    const topics = [{ name: 'in', partitionIndexes: [3] }];
    const { groups } = await broker.call(offsetFetch, 8, { groups: [{ groupId: GROUP, topics }] });
    return groups[0].topics[0].partitions[0].committedOffset;
  };

  it('stay while members read the topic, and expire with the group', async () => {
    const config = { 'offsets.retention.minutes': '1', 'offsets.retention.check.interval.ms': '1000' };
    const broker = streamsBroker({ config });
    await beat(broker, 'a', joining('p1'));
    await commit(broker, 'a', 2);
    for (let i = 0; i < 4; i++) {
      await broker.clock.advance(30_000);
      await beat(broker, 'a', { memberEpoch: 2 });
    }
    expect(await fetched(broker)).toBe(7);
    await beat(broker, 'a', { memberEpoch: -1 });
    await broker.clock.advance(2000);
    expect(await fetched(broker)).toBe(-1);
    expect(loadedStreams(broker.log, GROUP)).toBeUndefined();
  });
});
