import { describe, expect, expectTypeOf, test } from 'vitest';
import { BrokerConfig } from '../../src/config/broker-config.ts';
import { brokerConfig, properties } from './samples.ts';

describe('a snapshot', () => {
  test('types are those of the tables', () => {
    const config = brokerConfig();
    expectTypeOf(config.get('num.partitions')).toEqualTypeOf<number>();
    expectTypeOf(config.get('log.retention.minutes')).toEqualTypeOf<number | null>();
    expectTypeOf(config.get('auto.create.topics.enable')).toEqualTypeOf<boolean>();
    expectTypeOf(config.get('process.roles')).toEqualTypeOf<readonly string[]>();
    expectTypeOf(config.get('log.dirs')).toEqualTypeOf<readonly string[] | null>();
    expectTypeOf(config.get('broker.rack')).toEqualTypeOf<string | null>();
    expect(config.get('offsets.topic.num.partitions')).toBe(50);
  });

  test('a long without limit is a number that exceeds all others', () => {
    expect(brokerConfig().get('log.flush.interval.messages')).toBe(2 ** 63);
    expect(brokerConfig().exact('log.flush.interval.messages')).toBe(2n ** 63n - 1n);
    expect(brokerConfig().exact('nosuch')).toBeUndefined();
  });

  test.each([['process.roles'], ['node.id'], ['controller.listener.names']])('%s has no default', (name) => {
    const given = new Map(brokerConfig().staticProperties);
    given.delete(name);
    given.delete('broker.id');
    expect(() => new BrokerConfig(given)).toThrow(
      `Missing required configuration "${name}" which has no default value.`,
    );
  });

  test('broker.id and node.id stand for one another', () => {
    const given = new Map(brokerConfig().staticProperties);
    given.delete('node.id');
    expect(new BrokerConfig(given).get('node.id')).toBe(1);
    expect(() => brokerConfig({ 'broker.id': '2' })).toThrow('to the same value as `broker.id`');
  });

  test('directories', () => {
    expect(brokerConfig().logDirs()).toEqual(['/tmp/kafka-logs']);
    const config = brokerConfig({ 'log.dir': '/a', 'log.dirs': '/b, /c' });
    expect(config.logDirs()).toEqual(['/b', '/c']);
    expect(config.metadataLogDir()).toBe('/b');
    expect(brokerConfig({ 'metadata.log.dir': '/m' }).metadataLogDir()).toBe('/m');
  });

  test.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ listeners: 'PLAINTEXT://:1,CONTROLLER://:2', 'controller.quorum.voters': '1@h:2' }, true],
    [{ listeners: 'PLAINTEXT://:1,CONTROLLER://:2', 'controller.quorum.voters': '1@h:2,10@h:3' }, false],
    [{ 'controller.quorum.bootstrap.servers': 'h:2' }, true],
    [{ 'process.roles': 'broker', 'controller.quorum.bootstrap.servers': 'h:2' }, false],
  ])('%j: sole controller: %s', (more, expected) => {
    expect(brokerConfig(more).isSoleController()).toBe(expected);
  });
});

describe('contradictions', () => {
  test.each<[Record<string, string>, string]>([
    [
      { 'process.roles': 'broker' },
      'either controller.quorum.bootstrap.servers must contain the set of bootstrap controllers',
    ],
    [
      { 'process.roles': 'broker', 'controller.quorum.voters': '1@h:1' },
      "contains just the 'broker' role, the node id 1 must not be included",
    ],
    [{ 'controller.quorum.voters': '2@h:1' }, 'the node id 1 must be included in the set of voters'],
    [{ 'process.roles': 'controller' }, 'The listeners config must only contain KRaft controller listeners'],
    [{ 'log.roll.ms': '0' }, 'log.roll.ms must be greater than or equal to 1'],
    [{ 'log.retention.ms': '0' }, 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'],
    [{ 'log.cleaner.dedupe.buffer.size': '100' }, 'must be at least 1MB per cleaner thread.'],
    [{ 'replica.fetch.wait.max.ms': '50000' }, 'replica.socket.timeout.ms should always be at least'],
    [{ 'queued.max.request.bytes': '5' }, 'queued.max.request.bytes must be larger or equal to'],
    [{ 'max.connections.per.ip': '0' }, 'max.connections.per.ip can be set to zero only if'],
    [{ 'max.connections.per.ip.overrides': '127.0.0.1' }, 'is not of the form {host}:{count}'],
    [{ 'connections.max.idle.ms': '50' }, 'should always be less than connections.max.idle.ms=50'],
    [
      { 'broker.heartbeat.interval.ms': '5000' },
      'less than or equal to half of the broker.session.timeout.ms (9000 ms)',
    ],
    [{ 'group.coordinator.rebalance.protocols': 'consumer' }, "Disabling the 'classic' protocol is not supported."],
    [
      { 'group.consumer.session.timeout.ms': '1000' },
      'group.consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    ],
    [
      { 'group.share.heartbeat.interval.ms': '16000' },
      'group.share.heartbeat.interval.ms must be less than or equal to group.share.max.heartbeat.interval.ms',
    ],
    [
      { 'group.share.max.heartbeat.interval.ms': '50000', 'group.share.heartbeat.interval.ms': '45000' },
      'group.share.heartbeat.interval.ms must be less than group.share.session.timeout.ms',
    ],
  ])('%j', (more, message) => {
    expect(() => brokerConfig(more)).toThrow(message);
  });
});

describe('dynamic changes', () => {
  test('one broker before the cluster before the file', () => {
    const config = brokerConfig({ 'message.max.bytes': '1' });
    const clusterWide = properties({ 'message.max.bytes': '2' });
    const after = config.withDynamic({ clusterWide, perBroker: new Map() });
    expect(after.get('message.max.bytes')).toBe(2);
    expect(
      after.withDynamic({ clusterWide, perBroker: properties({ 'message.max.bytes': '3' }) }).get('message.max.bytes'),
    ).toBe(3);
    expect(after.withDynamic({ clusterWide: new Map(), perBroker: new Map() }).get('message.max.bytes')).toBe(1);
    expect(config.get('message.max.bytes')).toBe(1);
  });
});

describe('topics', () => {
  test('defaults', () => {
    const topic = brokerConfig().topic();
    expect(topic).toMatchObject({
      segmentBytes: 1_073_741_824,
      retentionMs: 604_800_000,
      cleanupPolicy: { delete: true, compact: false },
      compressionType: 'producer',
      messageTimestampType: 'CreateTime',
    });
    expect(brokerConfig().topic(new Map())).toEqual(topic);
  });

  test('the topic before the broker, whose units are converted', () => {
    const config = brokerConfig({ 'log.retention.minutes': '2', 'log.retention.hours': '1', 'log.roll.hours': '3' });
    expect(config.topic().retentionMs).toBe(120_000);
    expect(config.topic().segmentMs).toBe(10_800_000);
    const topic = config.topic(properties({ 'retention.ms': '5', 'cleanup.policy': 'compact' }));
    expect(topic.retentionMs).toBe(5);
    expect(topic.cleanupPolicy).toEqual({ delete: false, compact: true });
  });

  test('any negative retention of the broker means without limit', () => {
    expect(brokerConfig({ 'log.retention.hours': '-5' }).topic().retentionMs).toBe(-1);
  });

  test('a dynamic change of the broker reaches topics that do not say otherwise', () => {
    const config = brokerConfig().withDynamic({
      clusterWide: properties({ 'log.segment.bytes': '2000000', 'log.retention.ms': '7' }),
      perBroker: new Map(),
    });
    expect(config.topic()).toMatchObject({ segmentBytes: 2_000_000, retentionMs: 7 });
    expect(config.topic(properties({ 'retention.ms': '9' })).retentionMs).toBe(9);
  });

  test('the internal segment size may be smaller than clients may ask for', () => {
    expect(brokerConfig().topic(properties({ 'internal.segment.bytes': '100' })).segmentBytes).toBe(100);
  });
});
