import { type Admin, ConfigResourceTypes, type ITopicConfig } from 'kafkajs';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { useKafkajs } from '../kafkajs/clients.ts';

type Failure = { type?: string; message?: string; errors?: Failure[]; cause?: Failure };

/** The name of the error code that a call ends with; 'none' when it succeeds. */
async function errorOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'none';
  } catch (error) {
    const failure = error as Failure;
    return failure.errors?.[0]?.type ?? failure.type ?? failure.cause?.type ?? `${failure.message}`;
  }
}

describeBrokers('errors of bad requests', (broker) => {
  const clients = useKafkajs(() => broker.bootstrapServers, { retries: 0 });

  const create = (admin: Admin, validateOnly: boolean, ...topics: ITopicConfig[]): Promise<string> =>
    errorOf(admin.createTopics({ topics, validateOnly, waitForLeaders: false }));

  it.each<[string, string, Partial<ITopicConfig>]>([
    ['an empty name', 'INVALID_TOPIC_EXCEPTION', { topic: '' }],
    ['the name .', 'INVALID_TOPIC_EXCEPTION', { topic: '.' }],
    ['the name ..', 'INVALID_TOPIC_EXCEPTION', { topic: '..' }],
    ['a name with a space', 'INVALID_TOPIC_EXCEPTION', { topic: 'a b' }],
    ['a name with a slash', 'INVALID_TOPIC_EXCEPTION', { topic: 'a/b' }],
    ['a name of 250 characters', 'INVALID_TOPIC_EXCEPTION', { topic: 'x'.repeat(250) }],
    ['a name beyond ASCII', 'INVALID_TOPIC_EXCEPTION', { topic: 'é' }],
    ['no partition', 'INVALID_PARTITIONS', { numPartitions: 0 }],
    ['-2 partitions', 'INVALID_PARTITIONS', { numPartitions: -2 }],
    ['two replicas on one node', 'INVALID_REPLICATION_FACTOR', { replicationFactor: 2 }],
    ['no replica', 'INVALID_REPLICATION_FACTOR', { replicationFactor: 0 }],
    ['an unknown configuration', 'INVALID_CONFIG', { configEntries: [{ name: 'no.such', value: '1' }] }],
    ['a word for a number', 'INVALID_CONFIG', { configEntries: [{ name: 'retention.ms', value: 'long' }] }],
    ['a number out of range', 'INVALID_CONFIG', { configEntries: [{ name: 'segment.bytes', value: '1' }] }],
    ['an unknown clean-up policy', 'INVALID_CONFIG', { configEntries: [{ name: 'cleanup.policy', value: 'burn' }] }],
    [
      'a replica on an unknown node',
      'INVALID_REPLICA_ASSIGNMENT',
      { replicaAssignment: [{ partition: 0, replicas: [9] }] },
    ],
    ['a gap in the assignment', 'INVALID_REPLICA_ASSIGNMENT', { replicaAssignment: [{ partition: 1, replicas: [1] }] }],
    [
      'a replica twice on a node',
      'INVALID_REPLICA_ASSIGNMENT',
      { replicaAssignment: [{ partition: 0, replicas: [1, 1] }] },
    ],
    ['an empty assignment', 'INVALID_REPLICA_ASSIGNMENT', { replicaAssignment: [{ partition: 0, replicas: [] }] }],
    [
      'partitions and an assignment',
      'INVALID_REQUEST',
      { numPartitions: 1, replicaAssignment: [{ partition: 0, replicas: [1] }] },
    ],
  ])('CreateTopics with %s: %s', async (_what, expected, config) => {
    const admin = await clients.admin();
    const topic = { topic: uniqueName('bad'), ...config };
    expect(await create(admin, true, topic)).toBe(expected);
    expect(await create(admin, false, topic)).toBe(expected);
    expect(await admin.listTopics()).not.toContain(topic.topic);
  });

  it('CreateTopics with a name of 249 characters: none', async () => {
    const admin = await clients.admin();
    const topic = uniqueName('x'.repeat(240));
    expect(topic).toHaveLength(249);
    expect(await create(admin, false, { topic })).toBe('none');
  });

  it.each([
    ['more partitions than a request may have', 10_001, 'POLICY_VIOLATION'],
    ['as many, which with the topic is one record too many', 10_000, 'POLICY_VIOLATION'],
    ['one less', 9_999, 'none'],
  ])('CreateTopics with %s: %s is %s', async (_what, numPartitions, expected) => {
    const admin = await clients.admin();
    expect(await create(admin, true, { topic: uniqueName('wide'), numPartitions })).toBe(expected);
  });

  it('CreateTopics of what exists, and of a name that differs in . and _ only', async () => {
    const admin = await clients.admin();
    const name = uniqueName('exists').replace('-', '.');
    expect(await create(admin, false, { topic: name })).toBe('none');
    // kafkajs takes TOPIC_ALREADY_EXISTS for no error and answers false.
    expect(await admin.createTopics({ topics: [{ topic: name }] })).toBe(false);
    expect(await admin.createTopics({ topics: [{ topic: name }], validateOnly: true, waitForLeaders: false })).toBe(
      false,
    );
    expect(await create(admin, false, { topic: name.replace('.', '_') })).toBe('INVALID_TOPIC_EXCEPTION');
  });

  it('CreateTopics: one bad topic does not hold up the good ones of the same request', async () => {
    const admin = await clients.admin();
    const [good, bad] = [{ topic: uniqueName('good') }, { topic: uniqueName('bad'), replicationFactor: 5 }];
    expect(await create(admin, false, good, bad)).toBe('INVALID_REPLICATION_FACTOR');
    const topics = await admin.listTopics();
    expect(topics).toContain(good.topic);
    expect(topics).not.toContain(bad.topic);
  });

  it.each<[string, string, number]>([
    ['fewer', 'INVALID_PARTITIONS', 1],
    ['as many', 'INVALID_PARTITIONS', 2],
    ['none', 'INVALID_PARTITIONS', 0],
    ['a negative number', 'INVALID_PARTITIONS', -3],
  ])('CreatePartitions down to %s: %s', async (_what, expected, count) => {
    const admin = await clients.admin();
    const topic = uniqueName('grow');
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
    const grow = (validateOnly: boolean): Promise<string> =>
      errorOf(admin.createPartitions({ topicPartitions: [{ topic, count }], validateOnly }));
    expect(await grow(true)).toBe(expected);
    expect(await grow(false)).toBe(expected);
  });

  it('CreatePartitions with assignments that do not fit, or of an unknown topic', async () => {
    const admin = await clients.admin();
    const topic = uniqueName('grow');
    await admin.createTopics({ topics: [{ topic }] });
    const grow = (topicPartition: { topic: string; count: number; assignments?: number[][] }): Promise<string> =>
      errorOf(admin.createPartitions({ topicPartitions: [topicPartition] }));
    expect(await grow({ topic, count: 3, assignments: [[1]] })).toBe('INVALID_REPLICA_ASSIGNMENT');
    expect(await grow({ topic, count: 2, assignments: [[9]] })).toBe('INVALID_REPLICA_ASSIGNMENT');
    expect(await grow({ topic: uniqueName('none'), count: 2 })).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('DeleteTopics of an unknown topic', async () => {
    const admin = await clients.admin();
    expect(await errorOf(admin.deleteTopics({ topics: [uniqueName('none')], timeout: 1000 }))).toBe(
      'UNKNOWN_TOPIC_OR_PARTITION',
    );
  });

  it('configurations: of unknown topics, names that are none, values that are bad', async () => {
    const admin = await clients.admin();
    const topic = uniqueName('known');
    await admin.createTopics({ topics: [{ topic }] });
    const alter = (type: ConfigResourceTypes, name: string, key: string, value: string): Promise<string> =>
      errorOf(
        admin.alterConfigs({ validateOnly: true, resources: [{ type, name, configEntries: [{ name: key, value }] }] }),
      );
    const describe = (type: ConfigResourceTypes, name: string): Promise<string> =>
      errorOf(admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name }] }));
    expect(await alter(ConfigResourceTypes.TOPIC, topic, 'retention.ms', '1')).toBe('none');
    expect(await alter(ConfigResourceTypes.TOPIC, topic, 'no.such', '1')).toBe('INVALID_CONFIG');
    expect(await alter(ConfigResourceTypes.TOPIC, topic, 'retention.ms', 'x')).toBe('INVALID_CONFIG');
    expect(await alter(ConfigResourceTypes.TOPIC, uniqueName('none'), 'retention.ms', '1')).toBe(
      'UNKNOWN_TOPIC_OR_PARTITION',
    );
    expect(await alter(ConfigResourceTypes.BROKER, '1', 'num.partitions', '2')).toBe('INVALID_REQUEST');
    expect(await describe(ConfigResourceTypes.TOPIC, uniqueName('none'))).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(await describe(ConfigResourceTypes.TOPIC, 'a b')).toBe('INVALID_TOPIC_EXCEPTION');
  });
});
