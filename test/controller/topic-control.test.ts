import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { ResourceType } from '../../src/controller/image.ts';
import { type CreatableTopic, planCreateTopics, planDeleteTopics } from '../../src/controller/topic-control.ts';
import { type Answer, answerOf, World } from './world.ts';

const creatable = (name: string, changes: Partial<CreatableTopic> = {}): CreatableTopic => ({
  name,
  numPartitions: -1,
  replicationFactor: -1,
  assignments: [],
  configs: [],
  ...changes,
});

function create(world: World, topics: CreatableTopic[], validateOnly = false) {
  return world.run((c) => planCreateTopics(c, { topics, timeoutMs: 1, validateOnly }));
}

const replicas = (...ids: number[][]) => ids.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }));

describe('creating topics', () => {
  it('writes topic, configurations and partitions, led by this node', () => {
    const world = new World();
    const configs = [{ name: 'retention.ms', value: '1000' }];
    const { topics = [] } = create(world, [creatable('t', { numPartitions: 2, configs })]);
    expect(topics[0]).toMatchObject({ errorCode: 0, numPartitions: 2, replicationFactor: 1 });
    const topic = world.image.topic('t');
    expect(topic?.partitions).toMatchObject([
      { leader: 1, leaderEpoch: 0, isr: [1] },
      { leader: 1, leaderEpoch: 0, isr: [1] },
    ]);
    expect(topic?.id).toBe(topics[0].topicId);
    expect([...world.image.configs(ResourceType.TOPIC, 't')]).toEqual([['retention.ms', '1000']]);
    expect(topics[0].configs?.find((c) => c.name === 'retention.ms')).toMatchObject({ value: '1000', configSource: 1 });
    const names = topics[0].configs?.map((c) => c.name) ?? [];
    expect(names).toHaveLength(33);
    expect(names).toEqual([...names].sort());
  });

  it('writes nothing with validateOnly', () => {
    const world = new World();
    expect(answerOf((create(world, [creatable('t')], true).topics ?? [])[0])).toBeNull();
    expect(world.image.topic('t')).toBeUndefined();
  });

  const cases: [string, CreatableTopic, Answer][] = [
    [
      'an empty name',
      creatable(''),
      [ErrorCode.INVALID_TOPIC_EXCEPTION, 'Topic name is invalid: the empty string is not allowed'],
    ],
    ...['.', '..'].map((name): [string, CreatableTopic, Answer] => [
      `the name ${name}`,
      creatable(name),
      [ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: '${name}' is not allowed`],
    ]),
    [
      'a name with a space',
      creatable('a b'),
      [
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
      ],
    ],
    ['a name that exists', creatable('there.is'), [ErrorCode.TOPIC_ALREADY_EXISTS, "Topic 'there.is' already exists."]],
    [
      'a name that collides',
      creatable('there_is'),
      [ErrorCode.INVALID_TOPIC_EXCEPTION, "Topic 'there_is' collides with existing topic: there.is"],
    ],
    [
      'no partitions',
      creatable('t', { numPartitions: 0 }),
      [ErrorCode.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.'],
    ],
    [
      'no replicas',
      creatable('t', { replicationFactor: 0 }),
      [
        ErrorCode.INVALID_REPLICATION_FACTOR,
        'Replication factor must be larger than 0, or -1 to use the default value.',
      ],
    ],
    [
      'an assignment and a count',
      creatable('t', { numPartitions: 1, assignments: replicas([1]) }),
      [ErrorCode.INVALID_REQUEST, 'A manual partition assignment was specified, but numPartitions was not set to -1.'],
    ],
    [
      'a broker that is not there',
      creatable('t', { assignments: replicas([7]) }),
      [
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        'The manual partition assignment includes broker 7, but no such broker is registered.',
      ],
    ],
    [
      'a broker twice',
      creatable('t', { assignments: replicas([1, 1]) }),
      [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'The manual partition assignment includes the broker 1 more than once.'],
    ],
    [
      'a gap in the partitions',
      creatable('t', { assignments: [{ partitionIndex: 1, brokerIds: [1] }] }),
      [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'partitions should be a consecutive 0-based integer sequence'],
    ],
    [
      'a configuration that is not there',
      creatable('t', { configs: [{ name: 'foo', value: '1' }] }),
      [ErrorCode.INVALID_CONFIG, 'Unknown topic config name: foo'],
    ],
    [
      'a value that is none',
      creatable('t', { configs: [{ name: 'retention.ms', value: 'x' }] }),
      [ErrorCode.INVALID_CONFIG, 'Invalid value x for configuration retention.ms: Not a number of type LONG'],
    ],
  ];
  it.each(cases)('refuses %s', (_what, topic, answer) => {
    const world = new World();
    create(world, [creatable('there.is')]);
    expect(answerOf((create(world, [topic]).topics ?? [])[0])).toEqual(answer);
  });

  it('refuses more replicas than brokers', () => {
    const refused = answerOf((create(new World(), [creatable('t', { replicationFactor: 2 })]).topics ?? [])[0]);
    expect(refused).toEqual([
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.',
    ]);
  });

  it.each([
    ['partitions', [creatable('t', { numPartitions: 10_001 })], 'Excessively large number of partitions per request.'],
    ['records', [creatable('t', { numPartitions: 10_000 })], 'Unable to perform excessively large batch operation.'],
    [
      'records of several topics',
      ['t', 'u'].map((name) => creatable(name, { numPartitions: 5000 })),
      'Unable to perform excessively large batch operation.',
    ],
  ])('refuses a request for too many %s whole', (_what, topics, message) => {
    for (const validateOnly of [false, true]) {
      expect(() => create(new World(), topics, validateOnly)).toThrow(new KafkaError('POLICY_VIOLATION', message));
    }
  });

  it('takes as many records as fit into one batch of the metadata log', () => {
    const configs = [{ name: 'retention.ms', value: '1000' }];
    const { topics = [], records } = create(new World(), [creatable('t', { numPartitions: 9998, configs })]);
    expect(answerOf(topics[0])).toBeNull();
    expect(records).toHaveLength(10_000);
  });
});

describe('deleting topics', () => {
  const byName = (...topicNames: string[]) => ({ topicNames, topics: [], timeoutMs: 1 });
  const remove = (world: World, request: Parameters<typeof planDeleteTopics>[1]) =>
    (world.run((c) => planDeleteTopics(c, request)).responses ?? []).map(answerOf);

  it('goes by name or by id, and takes the configurations along', () => {
    const world = new World();
    create(world, [creatable('a', { configs: [{ name: 'retention.ms', value: '1' }] }), creatable('b')]);
    const topicId = world.image.topic('b')?.id as string;
    expect(remove(world, byName('a'))).toEqual([null]);
    expect(remove(world, { topicNames: [], topics: [{ name: null, topicId }], timeoutMs: 1 })).toEqual([null]);
    expect([...world.image.topics()]).toEqual([]);
    expect(world.image.configuredResources(ResourceType.TOPIC)).toEqual([]);
  });

  it('deletes nothing that is named twice, and says so once', () => {
    const world = new World();
    create(world, [creatable('a')]);
    expect(remove(world, byName('a', 'a'))).toEqual([[ErrorCode.INVALID_REQUEST, 'Duplicate topic name.']]);
    expect(world.image.topic('a')).toBeDefined();
  });

  it('tells what is not there, and what is not said well', () => {
    const world = new World();
    create(world, [creatable('a')]);
    const unknownId = 'BBBBBBBBBBBBBBBBBBBBBB';
    const topics = [
      { name: null, topicId: unknownId },
      { name: 'a', topicId: unknownId },
      { name: null, topicId: ZERO_UUID },
    ];
    expect(remove(world, { topicNames: ['b'], topics, timeoutMs: 1 })).toEqual([
      [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.'],
      [ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.'],
      [ErrorCode.INVALID_REQUEST, 'You may not specify both topic name and topic id.'],
      [ErrorCode.INVALID_REQUEST, 'Neither topic name nor id were specified.'],
    ]);
  });
});
