import { describe, expect, test } from 'vitest';
import { planFenceBroker, planUnregisterBroker } from '../../src/controller/cluster-control.ts';
import { planCreatePartitions, planElectLeaders } from '../../src/controller/partition-control.ts';
import { planAlterPartitionReassignments } from '../../src/controller/reassignment-control.ts';
import { type Answer, answerOf, World } from './world.ts';

/** a: one partition; b: three; r: one with replicas on two brokers. */
function worldOfTwo(): World {
  const world = new World();
  world.addBroker(2);
  world.addTopic('a', [1]);
  world.addTopic('b', [1], [1], [1]);
  world.addTopic('r', [1, 2]);
  return world;
}

function grow(world: World, name: string, count: number, assignments: number[][] | null = null) {
  const topic = { name, count, assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null };
  const request = { topics: [topic], timeoutMs: 0, validateOnly: false };
  return world.run((context) => planCreatePartitions(context, request));
}

describe('CreatePartitions', () => {
  const MANUAL = 'The manual partition assignment includes';
  test.each<[string, number, number[][] | null, Answer]>([
    ['b', 3, null, [37, 'Topic already has 3 partition(s).']],
    ['b', 2, null, [37, 'The topic b currently has 3 partition(s); 2 would not be an increase.']],
    ['b', -1, null, [37, 'The topic b currently has 3 partition(s); -1 would not be an increase.']],
    ['b', 4, null, null],
    ['nosuch', 4, null, [3, null]],
    ['b', 5, [[1]], [39, 'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.']],
    ['b', 4, [], [39, 'Attempted to add 1 additional partition(s), but only 0 assignment(s) were specified.']],
    ['b', 4, [[9]], [39, `${MANUAL} broker 9, but no such broker is registered.`]],
    ['b', 4, [[]], [39, `${MANUAL} an empty replica list.`]],
    ['b', 4, [[1, 1]], [39, `${MANUAL} the broker 1 more than once.`]],
    ['b', 5, [[1], [2]], null],
    ['b', 10_003, null, null],
    ['b', 10_004, null, [44, 'Excessively large number of partitions per request.']],
  ])('%s to %i with %j', (name, count, assignments, expected) => {
    expect(answerOf((grow(worldOfTwo(), name, count, assignments).results ?? [])[0])).toEqual(expected);
  });

  test('the new partitions lie where they were asked to', () => {
    const world = worldOfTwo();
    grow(world, 'b', 5, [[2], [1]]);
    expect(world.image.topic('b')?.partitions.map((p) => p.replicas)).toEqual([[1], [1], [1], [2], [1]]);
    expect(world.image.topic('b')?.partitions[3]).toMatchObject({ leader: 2, isr: [2], leaderEpoch: 0 });
  });

  test('the limit of a request is one for all its topics', () => {
    const topics = ['a', 'b'].map((name) => ({ name, count: 5_003, assignments: null }));
    const request = { topics, timeoutMs: 0, validateOnly: false };
    const { results, records } = worldOfTwo().run((context) => planCreatePartitions(context, request));
    const refused: Answer = [44, 'Excessively large number of partitions per request.'];
    expect(results?.map(answerOf)).toEqual([null, refused]);
    expect(records).toHaveLength(5_002);
  });

  test('a topic that comes twice is refused once, the others are not', () => {
    const world = worldOfTwo();
    const topics = ['b', 'b', 'a'].map((name) => ({ name, count: 9, assignments: null }));
    const request = { topics, timeoutMs: 0, validateOnly: false };
    const { results } = world.run((context) => planCreatePartitions(context, request));
    expect(results?.map((r) => [r.name, answerOf(r)])).toEqual([
      ['b', [42, 'Duplicate topic name.']],
      ['a', null],
    ]);
  });
});

function elect(world: World, electionType: number, topicPartitions: [string, number[]][] | null) {
  const wanted = topicPartitions?.map(([topic, partitions]) => ({ topic, partitions })) ?? null;
  return world.run((c) => planElectLeaders(c, { electionType, topicPartitions: wanted, timeoutMs: 0 }));
}

const results = (response: ReturnType<typeof elect>) =>
  response.replicaElectionResults?.map(({ topic, partitionResult }) => [topic, partitionResult?.map(answerOf)]);

const NOT_NEEDED: Answer = [84, 'Leader election not needed for topic partition.'];

describe('ElectLeaders', () => {
  test('says which partitions there are and which need nothing', () => {
    expect(
      results(
        elect(worldOfTwo(), 0, [
          ['a', [0, 5]],
          ['nosuch', [0]],
        ]),
      ),
    ).toEqual([
      ['a', [NOT_NEEDED, [3, 'No such partition as a-5']]],
      ['nosuch', [[3, 'No such topic as nosuch']]],
    ]);
    expect(results(elect(worldOfTwo(), 1, [['a', [0]]]))).toEqual([['a', [NOT_NEEDED]]]);
  });

  test('of all partitions tells only those where something happened', () => {
    expect(results(elect(worldOfTwo(), 0, null))).toEqual([
      ['a', []],
      ['b', []],
      ['r', []],
    ]);
  });

  test('an election of unknown type fails as a whole', () => {
    const response = elect(worldOfTwo(), 7, [['a', [0]]]);
    expect([response.errorCode, results(response)]).toEqual([42, [['a', [[42, 'Unknown election type 7']]]]]);
  });

  test('the preferred replica leads again once it is back; not before', () => {
    const world = worldOfTwo();
    world.replay(planUnregisterBroker(world.context(), { brokerId: 1 }).records);
    expect(world.image.topic('r')?.partitions[0]).toMatchObject({ leader: 2, isr: [2] });
    expect(results(elect(world, 0, [['r', [0]]]))).toEqual([['r', [[80, 'The preferred leader was not available.']]]]);
  });

  test('without a leader an unclean election takes who serves', () => {
    const world = worldOfTwo();
    world.replay(planFenceBroker(world.context(1)));
    expect(results(elect(world, 1, [['a', [0]]]))).toEqual([
      ['a', [[83, 'Eligible topic partition leaders are not available.']]],
    ]);
    expect(results(elect(world, 1, [['r', [0]]]))).toEqual([['r', [null]]]);
    expect(world.image.topic('r')?.partitions[0]).toMatchObject({ leader: 2, leaderEpoch: 2 });
  });
});

function reassign(world: World, name: string, index: number, replicas: number[] | null, mayResize = true): Answer {
  const topics = [{ name, partitions: [{ partitionIndex: index, replicas }] }];
  const request = { timeoutMs: 0, allowReplicationFactorChange: mayResize, topics };
  const { responses } = world.run((context) => planAlterPartitionReassignments(context, request));
  return answerOf((responses?.[0].partitions ?? [])[0]);
}

describe('AlterPartitionReassignments', () => {
  const MANUAL = 'The manual partition assignment includes';
  test.each<[string, number, number[] | null, Answer]>([
    ['a', 0, [1], null],
    ['a', 0, [9], [39, `${MANUAL} broker 9, but no such broker is registered.`]],
    ['a', 0, null, [85, null]],
    ['a', 0, [], [39, `${MANUAL} an empty replica list.`]],
    ['a', 0, [1, 1], [39, `${MANUAL} the broker 1 more than once.`]],
    ['a', 7, [1], [3, 'Unable to find partition a:7.']],
    ['nosuch', 0, [1], [3, 'Unable to find a topic named nosuch.']],
    ['nosuch', 0, null, [3, 'Unable to find a topic named nosuch.']],
  ])('%s-%i to %j', (name, index, replicas, expected) => {
    expect(reassign(worldOfTwo(), name, index, replicas)).toEqual(expected);
  });

  test('another order and fewer replicas are done at once', () => {
    const world = worldOfTwo();
    const partition = () => world.image.topic('r')?.partitions[0];
    reassign(world, 'r', 0, [2, 1]);
    expect(partition()).toMatchObject({ replicas: [2, 1], leader: 1, addingReplicas: [], removingReplicas: [] });
    reassign(world, 'r', 0, [2]);
    expect(partition()).toMatchObject({ replicas: [2], isr: [2], leader: 2, addingReplicas: [], removingReplicas: [] });
    expect(partition()?.directories).toEqual(world.image.broker(2)?.directories);
  });

  test('new replicas join first; the move can be taken back', () => {
    const world = worldOfTwo();
    const partition = () => world.image.topic('a')?.partitions[0];
    reassign(world, 'a', 0, [2]);
    expect(partition()).toMatchObject({ replicas: [2, 1], isr: [1], addingReplicas: [2], removingReplicas: [1] });
    expect(reassign(world, 'a', 0, null)).toBeNull();
    expect(partition()).toMatchObject({ replicas: [1], isr: [1], leader: 1, addingReplicas: [], removingReplicas: [] });
  });

  test('the number of replicas stays where it must', () => {
    expect(reassign(worldOfTwo(), 'a', 0, [1, 2], false)?.[0]).toBe(38);
    expect(reassign(worldOfTwo(), 'a', 0, [2], false)).toBeNull();
  });
});

describe('UnregisterBroker', () => {
  test('takes the broker and its leaderships away', () => {
    const world = worldOfTwo();
    world.replay(planUnregisterBroker(world.context(), { brokerId: 2 }).records);
    expect(world.image.broker(2)).toBeUndefined();
    expect(world.image.topic('r')?.partitions[0]).toMatchObject({ leader: 1, isr: [1] });
  });

  test('does not know a broker that is not there', () => {
    expect(() => planUnregisterBroker(new World().context(), { brokerId: 9 })).toThrow(
      'Broker ID 9 is not currently registered',
    );
  });
});
