import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { listGroups } from '../../../src/api/16-list-groups.ts';
import { deleteGroups } from '../../../src/api/42-delete-groups.ts';
import { shareGroupHeartbeat } from '../../../src/api/76-share-group-heartbeat.ts';
import { shareGroupDescribe } from '../../../src/api/77-share-group-describe.ts';
import { describeShareGroupOffsets } from '../../../src/api/90-describe-share-group-offsets.ts';
import { alterShareGroupOffsets } from '../../../src/api/91-alter-share-group-offsets.ts';
import { deleteShareGroupOffsets } from '../../../src/api/92-delete-share-group-offsets.ts';
import { ResourceType, resourceKey } from '../../../src/controller/image.ts';
import { expectSameAfterReplay, liveShard } from '../durable-state.ts';
import { GroupBroker, type GroupBrokerOptions, topic } from '../group-broker.ts';

const GROUP = 'g';
const INTERVAL_MS = 1000;
const SESSION_MS = 45_000;

let broker: GroupBroker;
beforeEach(() => {
  broker = new GroupBroker({ partitionCount: 1 });
});

const restarted = (options: GroupBrokerOptions = {}): GroupBroker => {
  broker.groups.close();
  const { log, clock, persister } = broker;
  return new GroupBroker({ partitionCount: 1, log, clock, persister, ...options });
};

const beat = (memberId: string, memberEpoch: number, subscribedTopicNames: string[] | null = null) =>
  broker.call(shareGroupHeartbeat, 1, { groupId: GROUP, memberId, memberEpoch, subscribedTopicNames });
const join = (memberId: string, topics = ['t']) => beat(memberId, 0, topics);
const described = async () =>
  (await broker.call(shareGroupDescribe, 1, { groupIds: [GROUP], includeAuthorizedOperations: false })).groups[0];
const epochOf = async (memberId: string): Promise<number> => {
  const { members } = await described();
  return members.find((m) => m.memberId === memberId)?.memberEpoch ?? -1;
};
/** What each member is to read: topic names and partitions. */
const assignments = async () => {
  const { members } = await described();
  return Object.fromEntries(
    members.map((m) => [
      m.memberId,
      m.assignment.topicPartitions.map((t) => `${t.topicName}:${[...t.partitions].sort().join(',')}`),
    ]),
  );
};
/** All members heartbeat, each in its epoch, after an interval between assignments has passed. */
async function settle(...memberIds: string[]): Promise<void> {
  await broker.clock.advance(INTERVAL_MS);
  for (let round = 0; round < 2; round++)
    for (const memberId of memberIds)
      expect(await beat(memberId, await epochOf(memberId))).toMatchObject({ errorCode: 0 });
}
const group = () => {
  const found = liveShard(broker, 0).groups.get(GROUP);
  if (found?.type !== 'share') throw new Error('no share group');
  return found;
};

describe('the partitions of a member', () => {
  test('come once they have state, in the next assignment', async () => {
    expect(await join('a')).toMatchObject({ memberEpoch: 2, assignment: { topicPartitions: [] } });
    expect(broker.persister.calls).toEqual(['initialize g 0,1,2,3']);
    const { id } = topic('t', 4);
    expect(broker.persister.state(GROUP, id, 3)).toEqual({ stateEpoch: 2, startOffset: -1, deliveryCompleteCount: -1 });
    // the interval between two assignments is not over
    expect(await beat('a', 2)).toMatchObject({ memberEpoch: 2, assignment: null });
    expect(await described()).toMatchObject({ groupEpoch: 3, assignmentEpoch: 2 });
    await broker.clock.advance(INTERVAL_MS);
    expect(await beat('a', 2)).toMatchObject({ memberEpoch: 3, assignment: { topicPartitions: [{ topicId: id }] } });
    expect(await beat('a', 3)).toMatchObject({ memberEpoch: 3, assignment: null });
    expect(broker.persister.calls).toHaveLength(1);
    expectSameAfterReplay(broker);
  });

  test('are told again where a response was lost', async () => {
    await join('a');
    await settle('a');
    const epoch = await epochOf('a');
    expect(await beat('a', epoch - 1, ['t'])).toMatchObject({ errorCode: 0, memberEpoch: epoch });
    expect((await beat('a', epoch - 1, ['t'])).assignment?.topicPartitions).toHaveLength(1);
  });

  test('are spread when somebody joins, and come back when one leaves or falls silent', async () => {
    await join('a');
    await settle('a');
    await join('b');
    await settle('a', 'b');
    expect(Object.values(await assignments()).map(([t]) => t.length)).toEqual([5, 5]);
    await beat('b', -1);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
    await join('c');
    await broker.clock.advance(SESSION_MS - 1);
    await beat('a', await epochOf('a'));
    expect((await described()).members).toHaveLength(2);
    await broker.clock.advance(1);
    expect((await described()).members.map((m) => m.memberId)).toEqual(['a']);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
    expectSameAfterReplay(broker);
  });

  test('follow its subscription at once', async () => {
    await join('a', ['t', 'u']);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3', 'u:0,1'] });
    const changed = await beat('a', await epochOf('a'), ['u']);
    expect(changed.assignment?.topicPartitions).toHaveLength(1);
    expect(await assignments()).toEqual({ a: ['u:0,1'] });
  });

  test('grow with the topic, and begin with it where it is made later', async () => {
    await join('a', ['t', 'later']);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
    broker.topics.set('later', topic('later', 1));
    broker.topics.set('t', { ...topic('t', 5) });
    const before = (await described()).groupEpoch;
    await settle('a');
    await settle('a');
    expect((await described()).groupEpoch).toBeGreaterThan(before);
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3,4', 'later:0'] });
  });

  test('vanish with the topic', async () => {
    await join('a', ['t', 'u']);
    await settle('a');
    const gone = topic('u', 2);
    broker.topics.delete('u');
    broker.groups.onTopicsDeleted([gone]);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
    expect([...(group().statePartitions?.initialized.values() ?? [])].map((s) => s.name)).toEqual(['t']);
    expectSameAfterReplay(broker);
  });
});

describe('state that does not come', () => {
  test('is asked for again with the next heartbeat where it failed', async () => {
    broker.persister.errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE;
    await join('a');
    await beat('a', 2);
    expect(broker.persister.calls).toEqual(['initialize g 0,1,2,3', 'initialize g 0,1,2,3']);
    expect(group().statePartitions?.initializing.size).toBe(0);
    broker.persister.errorCode = ErrorCode.NONE;
    await settle('a');
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
  });

  test('is asked for again after a while where no answer came', async () => {
    let answer: () => void = () => undefined;
    broker.persister.until = new Promise((resolve) => {
      answer = resolve;
    });
    await join('a');
    await broker.clock.advance(29_999);
    await beat('a', 2);
    expect(broker.persister.calls).toHaveLength(1);
    await broker.clock.advance(1);
    await beat('a', 2);
    expect(broker.persister.calls).toHaveLength(2);
    answer();
    await broker.clock.advance(0);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
  });

  test('is asked for again by the next coordinator, which counts from when it was loaded', async () => {
    broker.persister.until = new Promise(() => undefined);
    await join('a');
    await broker.clock.advance(20_000);
    broker = restarted();
    broker.persister.until = null;
    await beat('a', 2);
    expect(broker.persister.calls).toHaveLength(1);
    await broker.clock.advance(30_000);
    await beat('a', 2);
    expect(broker.persister.calls).toHaveLength(2);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
  });
});

describe('the next coordinator', () => {
  test('knows all there is to know, and gives members a whole session', async () => {
    await join('a', ['t', 'u']);
    await join('b', ['t']);
    await settle('a', 'b');
    const before = await described();
    await broker.clock.advance(40_000);
    broker = restarted();
    expect(await described()).toEqual(before);
    await broker.clock.advance(SESSION_MS - 1);
    expect((await described()).members).toHaveLength(2);
    await broker.clock.advance(1);
    expect(await described()).toMatchObject({ groupState: 'Empty', members: [] });
    expectSameAfterReplay(broker);
  });

  test('notes what has become of the topics in the meantime', async () => {
    await join('a');
    await settle('a');
    const before = (await described()).groupEpoch;
    broker = restarted({ topics: [topic('t', 6)] });
    await settle('a');
    expect((await described()).groupEpoch).toBeGreaterThan(before);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3,4,5'] });
  });
});

describe('a heartbeat whose records are not written', () => {
  test('changes nothing', async () => {
    await join('a');
    await settle('a');
    const before = await described();
    broker.log.refuse = new KafkaError('NOT_LEADER_OR_FOLLOWER');
    expect(await join('b')).toMatchObject({ errorCode: ErrorCode.NOT_COORDINATOR });
    broker.log.refuse = null;
    expect(await described()).toEqual(before);
    await broker.clock.advance(SESSION_MS - 1);
    await beat('a', await epochOf('a'));
    await broker.clock.advance(1);
    expect(await described()).toEqual(before);
  });

  test('does not ask for state before they are committed', async () => {
    broker.log.mode = 'held';
    const joined = join('a');
    await broker.clock.advance(10);
    expect(broker.persister.calls).toEqual([]);
    broker.log.mode = 'sync';
    broker.log.commit();
    expect(await joined).toMatchObject({ errorCode: 0, memberEpoch: 2 });
    await broker.clock.advance(0);
    expect(broker.persister.calls).toEqual(['initialize g 0,1,2,3']);
  });
});

describe('configurations', () => {
  const override = (name: string, value: string) =>
    broker.configs.set(resourceKey(ResourceType.GROUP, GROUP), new Map([[name, value]]));

  test('the size of a group is limited; members stay', async () => {
    broker = new GroupBroker({ partitionCount: 1, config: { 'group.share.max.size': '1' } });
    await join('a');
    const errorMessage = 'The share group has reached its maximum capacity of 1 members.';
    expect(await join('b')).toMatchObject({ errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED, errorMessage });
    expect(await join('a')).toMatchObject({ errorCode: 0 });
  });

  test('the session and heartbeats of a group are its own', async () => {
    override('share.session.timeout.ms', '50000');
    await join('a');
    await broker.clock.advance(49_999);
    expect((await described()).members).toHaveLength(1);
    await broker.clock.advance(1);
    expect((await described()).members).toHaveLength(0);
    override('share.heartbeat.interval.ms', '7000');
    expect(await join('a')).toMatchObject({ heartbeatIntervalMs: 7000 });
  });

  test('the interval between assignments is the group’s own', async () => {
    override('share.assignment.interval.ms', '0');
    await join('a');
    expect(await beat('a', 2)).toMatchObject({ memberEpoch: 3 });
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
  });

  test('without share.version there are none', async () => {
    broker.features.delete('share.version');
    const unsupported = { errorCode: ErrorCode.UNSUPPORTED_VERSION };
    expect(await join('a')).toMatchObject(unsupported);
    expect(await described()).toMatchObject(unsupported);
    const asked = { groups: [{ groupId: GROUP, topics: null }] };
    expect((await broker.call(describeShareGroupOffsets, 1, asked)).groups[0]).toMatchObject(unsupported);
    expect(await broker.call(alterShareGroupOffsets, 0, { groupId: GROUP, topics: [] })).toMatchObject(unsupported);
    expect(await broker.call(deleteShareGroupOffsets, 0, { groupId: GROUP, topics: [] })).toMatchObject(unsupported);
  });
});

describe('deletion', () => {
  const remove = async () => (await broker.call(deleteGroups, 2, { groupsNames: [GROUP] })).results[0].errorCode;
  const empty = async () => {
    await join('a');
    await settle('a');
    await beat('a', -1);
  };

  test('takes the state with it, and leaves nothing in the log', async () => {
    await empty();
    expect(await remove()).toBe(0);
    expect(broker.persister.states.size).toBe(0);
    expect(liveShard(broker, 0).groups.size).toBe(0);
    const latest = new Map(broker.log.records(0).map((r) => [r.key?.toString('hex'), r.value]));
    expect([...latest.values()].filter((value) => value !== null)).toEqual([]);
    expectSameAfterReplay(broker);
  });

  test('does not go on where the state stays, and can be tried again', async () => {
    await empty();
    broker.persister.errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE;
    expect(await remove()).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(group().statePartitions).toMatchObject({ initialized: new Map(), deleting: new Set([topic('t', 4).id]) });
    expectSameAfterReplay(broker);
    broker.persister.errorCode = ErrorCode.NONE;
    expect(await remove()).toBe(0);
  });

  test('a group that comes back asks for state again, also for what was being deleted', async () => {
    await empty();
    broker.persister.errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE;
    await remove();
    broker.persister.errorCode = ErrorCode.NONE;
    await join('a');
    expect(group().statePartitions?.deleting.size).toBe(0);
    await settle('a');
    expect(await assignments()).toEqual({ a: ['t:0,1,2,3'] });
  });

  test('never happens by itself', async () => {
    await empty();
    await broker.clock.advance(30 * 24 * 3_600_000);
    const listed = await broker.call(listGroups, 5, { statesFilter: [], typesFilter: ['share'] });
    expect(listed.groups).toEqual([{ groupId: GROUP, protocolType: 'share', groupState: 'Empty', groupType: 'share' }]);
  });
});

describe('offsets', () => {
  const alter = (startOffset: number, partitionIndex = 0) =>
    broker.call(alterShareGroupOffsets, 0, {
      groupId: GROUP,
      topics: [{ topicName: 't', partitions: [{ partitionIndex, startOffset }] }],
    });
  const told = async () => {
    const asked = { groups: [{ groupId: GROUP, topics: [{ topicName: 't', partitions: [0] }] }] };
    return (await broker.call(describeShareGroupOffsets, 1, asked)).groups[0].topics[0].partitions[0];
  };
  const forget = async () => broker.call(deleteShareGroupOffsets, 0, { groupId: GROUP, topics: [{ topicName: 't' }] });

  test('have a lag once it is known where the group begins', async () => {
    broker.endOffset = 10;
    expect(await told()).toMatchObject({ startOffset: -1, lag: -1, errorCode: 0 });
    await alter(4);
    expect(await told()).toMatchObject({ startOffset: 4, lag: 6 });
    const state = broker.persister.state(GROUP, topic('t', 4).id, 0);
    if (state !== undefined) state.deliveryCompleteCount = 2;
    expect(await told()).toMatchObject({ startOffset: 4, lag: 4 });
    broker.endErrorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER;
    expect(await told()).toMatchObject({ startOffset: 0, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER });
  });

  test('that the share coordinator does not tell show as none', async () => {
    await alter(4);
    broker.persister.errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    expect(await told()).toMatchObject({ startOffset: -1, leaderEpoch: 0, lag: -1, errorCode: 0 });
  });

  test('that are not set are told with the error of each partition', async () => {
    broker.persister.errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    const { errorCode, responses } = await alter(4);
    expect(errorCode).toBe(0);
    expect(responses[0].partitions).toMatchObject([
      { partitionIndex: 0, errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS },
    ]);
    expect(group().statePartitions?.initialized.size).toBe(0);
  });

  test('for partitions that are not there make no group', async () => {
    for (const partition of [4, -1]) {
      const { responses } = await alter(4, partition);
      expect(responses[0].partitions).toMatchObject([{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }]);
    }
    expect(liveShard(broker, 0).groups.size).toBe(0);
  });

  test('are noted as going until they are gone', async () => {
    await alter(4);
    broker.persister.errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    expect((await forget()).responses).toMatchObject([{ topicName: 't', errorCode: 14 }]);
    expect(group().statePartitions).toMatchObject({ initialized: new Map(), deleting: new Set([topic('t', 4).id]) });
    broker.persister.errorCode = ErrorCode.NONE;
    expect((await forget()).responses).toMatchObject([{ topicName: 't', errorCode: 0 }]);
    expect(group().statePartitions?.deleting.size).toBe(0);
    expect(broker.persister.states.size).toBe(0);
    expectSameAfterReplay(broker);
  });
});
