import { describe, expect, test } from 'vitest';
import {
  checkBrokerChanges,
  checkClientMetricsChanges,
  checkGroupChanges,
  checkTopicChanges,
  isListConfig,
  usableBrokerProperties,
} from '../../src/config/alter.ts';
import { InvalidConfigError } from '../../src/config/value.ts';
import { brokerConfig, properties } from './samples.ts';

const config = brokerConfig();

/** What Kafka 4.3.1 answers: null where it accepts, otherwise its code and words. */
type Answer = string | null;

function answer(check: () => unknown): Answer {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    return `${error.error}: ${error.message}`;
  }
}

function invalid(name: string, value: string, reason: string): Answer {
  return `INVALID_CONFIG: Invalid value ${value} for configuration ${name}: ${reason}`;
}

const REPLICAS =
  "leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...";

describe('topics', () => {
  test.each<[Record<string, string>, Answer]>([
    [{ 'retention.ms': 'abc' }, invalid('retention.ms', 'abc', 'Not a number of type LONG')],
    [{ nosuch: '1' }, 'INVALID_CONFIG: Unknown topic config name: nosuch'],
    [{ 'message.format.version': '3.0' }, 'INVALID_CONFIG: Unknown topic config name: message.format.version'],
    [{ 'segment.bytes': '1000' }, invalid('segment.bytes', '1000', 'Value must be at least 1048576')],
    [{ 'retention.ms': '-2' }, invalid('retention.ms', '-2', 'Value must be at least -1')],
    [{ 'cleanup.policy': 'foo' }, invalid('cleanup.policy', 'foo', 'String must be one of: compact, delete')],
    [{ 'cleanup.policy': '' }, null],
    [{ 'cleanup.policy': 'compact,compact' }, null],
    [{ 'cleanup.policy': 'delete,' }, "INVALID_CONFIG: Configuration 'cleanup.policy' values must not be empty."],
    [
      { 'min.compaction.lag.ms': '100', 'max.compaction.lag.ms': '50' },
      'INVALID_CONFIG: conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (50)',
    ],
    [
      { 'remote.storage.enable': 'true' },
      'INVALID_CONFIG: Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    ],
    [
      { 'leader.replication.throttled.replicas': 'x' },
      invalid('leader.replication.throttled.replicas', '[x]', REPLICAS),
    ],
    [
      { 'leader.replication.throttled.replicas': '*,0:1' },
      invalid('leader.replication.throttled.replicas', '[*, 0:1]', REPLICAS),
    ],
    [{ 'leader.replication.throttled.replicas': '*' }, null],
    [{ 'leader.replication.throttled.replicas': '0:1, 1:1' }, null],
    [{ 'leader.replication.throttled.replicas': '0:1,' }, null],
    [
      { 'compression.gzip.level': '0' },
      invalid('compression.gzip.level', '0', 'Value must be between 1 and 9 or equal to -1'),
    ],
    [
      { 'min.cleanable.dirty.ratio': '1.5' },
      invalid('min.cleanable.dirty.ratio', '1.5', 'Value must be no more than 1'),
    ],
    [
      { 'message.timestamp.type': 'createtime' },
      invalid('message.timestamp.type', 'createtime', 'String must be one of: CreateTime, LogAppendTime'),
    ],
    [
      { 'compression.type': 'foo' },
      invalid('compression.type', 'foo', 'String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer'),
    ],
    [{ preallocate: 'TRUE' }, null],
    [{ 'flush.ms': ' 12 ' }, null],
    [{ 'local.retention.ms': '10', 'retention.ms': '5' }, null],
    [{ 'internal.segment.bytes': '100' }, null],
  ])('%j', (changes, expected) => {
    expect(answer(() => checkTopicChanges(config, properties(changes)))).toBe(expected);
  });

  test('a value of null', () => {
    expect(answer(() => checkTopicChanges(config, new Map([['retention.ms', null]])))).toBe(
      'INVALID_CONFIG: Null value not supported for topic configs: retention.ms',
    );
  });
});

describe('groups', () => {
  const RESET = (value: string) =>
    invalid(
      'share.auto.offset.reset',
      value,
      `Invalid value \`${value}\` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`,
    );

  test.each<[Record<string, string>, Answer]>([
    [{ 'consumer.session.timeout.ms': '46000' }, null],
    [
      { 'consumer.session.timeout.ms': '1' },
      'INVALID_CONFIG: consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    ],
    [
      { 'consumer.session.timeout.ms': '100000' },
      'INVALID_CONFIG: consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms',
    ],
    [{ nosuch: '1' }, 'INVALID_CONFIG: Unknown group config name: nosuch'],
    [{ 'share.delivery.count.limit': '1' }, invalid('share.delivery.count.limit', '1', 'Value must be at least 2')],
    [{ 'share.auto.offset.reset': 'foo' }, RESET('foo')],
    [{ 'share.auto.offset.reset': 'LATEST' }, RESET('LATEST')],
    [{ 'share.auto.offset.reset': 'by_duration:PT1H' }, null],
    [{ 'share.auto.offset.reset': 'by_duration:pt1h' }, null],
    [{ 'share.auto.offset.reset': 'by_duration:P1DT2H3M4.5S' }, null],
    [{ 'share.auto.offset.reset': 'BY_DURATION:PT1H' }, RESET('BY_DURATION:PT1H')],
    [{ 'share.auto.offset.reset': 'by_duration:P1M' }, RESET('by_duration:P1M')],
    [{ 'share.auto.offset.reset': 'by_duration:PT-1H' }, RESET('by_duration:PT-1H')],
    [{ 'share.auto.offset.reset': 'by_duration:PT' }, RESET('by_duration:PT')],
    [
      { 'share.isolation.level': 'READ_COMMITTED' },
      invalid('share.isolation.level', 'READ_COMMITTED', 'String must be one of: read_committed, read_uncommitted'),
    ],
    [
      { 'streams.num.standby.replicas': '100' },
      'INVALID_CONFIG: streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas',
    ],
    [
      { 'consumer.assignment.interval.ms': '20000' },
      'INVALID_CONFIG: consumer.assignment.interval.ms must be less than or equal to group.consumer.max.assignment.interval.ms',
    ],
  ])('%j', (changes, expected) => {
    expect(answer(() => checkGroupChanges(config, 'g', properties(changes)))).toBe(expected);
  });

  test('the group without a name', () => {
    expect(answer(() => checkGroupChanges(config, '', new Map()))).toBe(
      'INVALID_REQUEST: Default group resources are not allowed.',
    );
  });

  test('a session that is not longer than the heartbeat', () => {
    const wide = brokerConfig({
      'group.consumer.min.session.timeout.ms': '1000',
      'group.consumer.max.heartbeat.interval.ms': '20000',
    });
    const changes = properties({ 'consumer.session.timeout.ms': '6000', 'consumer.heartbeat.interval.ms': '6000' });
    expect(answer(() => checkGroupChanges(wide, 'g', changes))).toBe(
      'INVALID_CONFIG: consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms',
    );
  });
});

describe('client metrics', () => {
  const illegal = (pattern: string) => `INVALID_CONFIG: Illegal client matching pattern: ${pattern}`;

  test.each<[Record<string, string>, Answer]>([
    [
      { 'interval.ms': '1' },
      'INVALID_REQUEST: Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)',
    ],
    [{ 'interval.ms': 'abc' }, invalid('interval.ms', 'abc', 'Not a number of type INT')],
    [{ match: 'foo' }, illegal('foo')],
    [{ match: 'foo=bar' }, illegal('foo=bar')],
    [{ match: 'client_id=(' }, illegal('client_id=(')],
    [{ match: 'client_id=x=y' }, illegal('client_id=x=y')],
    [{ match: 'client_id=' }, illegal('client_id=')],
    [{ match: 'client_id=a,client_id=b' }, null],
    [{ match: '' }, null],
    [{ nosuch: '1' }, 'INVALID_REQUEST: Unknown client metrics configuration: nosuch'],
    [{ metrics: '' }, null],
    [{ metrics: 'a,a' }, null],
  ])('%j', (changes, expected) => {
    expect(answer(() => checkClientMetricsChanges('c', properties(changes)))).toBe(expected);
  });

  test('the subscription without a name', () => {
    expect(answer(() => checkClientMetricsChanges('', new Map()))).toBe(
      "INVALID_REQUEST: Subscription name can't be empty",
    );
  });
});

describe('brokers', () => {
  const refused = (words: string) => `INVALID_REQUEST: ${words}`;

  test.each<['clusterWide' | 'perBroker', Record<string, string>, Answer]>([
    ['clusterWide', { nosuch: '1' }, null],
    [
      'clusterWide',
      { 'log.retention.hours': '1' },
      refused('Cannot update these configs dynamically: [log.retention.hours]'),
    ],
    [
      'clusterWide',
      { 'log.retention.ms': 'abc' },
      refused('Invalid value abc for configuration log.retention.ms: Not a number of type LONG'),
    ],
    ['clusterWide', { 'log.retention.ms': '-5' }, null],
    [
      'clusterWide',
      { 'log.retention.ms': '0' },
      refused('requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1'),
    ],
    [
      'clusterWide',
      { listeners: 'PLAINTEXT://:1' },
      refused('Cannot update these configs at default cluster level, broker id must be specified: [listeners]'),
    ],
    [
      'perBroker',
      { 'ssl.keystore.location': 'x' },
      refused(
        'These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]',
      ),
    ],
    ['perBroker', { 'listener.name.external.ssl.keystore.location': 'x' }, null],
    ['clusterWide', { 'listener.name.external.max.connections': '5' }, null],
    [
      'perBroker',
      { 'listener.name.external.max.connections': 'abc' },
      refused('Invalid value abc for configuration max.connections: Not a number of type INT'),
    ],
    ['perBroker', { 'listener.name.external.nosuch': 'abc' }, null],
    [
      'clusterWide',
      { 'num.io.threads': '100' },
      refused(
        'Dynamic thread count update validation failed for num.io.threads=100, value should not be greater than double the current value 8',
      ),
    ],
    [
      'clusterWide',
      { 'num.io.threads': '1' },
      refused(
        'Dynamic thread count update validation failed for num.io.threads=1, value should be at least half the current value 8',
      ),
    ],
    [
      'perBroker',
      { 'log.cleaner.threads': '9' },
      refused('Log cleaner threads cannot be increased to more than double the current value 1'),
    ],
    [
      'perBroker',
      { 'log.segment.bytes': '10' },
      refused('Invalid value 10 for configuration log.segment.bytes: Value must be at least 1048576'),
    ],
    [
      'clusterWide',
      { 'log.retention.ms': '7000', 'log.local.retention.ms': '99999999999' },
      refused(
        'Invalid value 99999999999 for configuration log.local.retention.ms: Value must not be more than log.retention.ms property value: 7000',
      ),
    ],
    [
      'perBroker',
      { 'cordoned.log.dirs': '/x' },
      refused(
        'requirement failed: All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : /x',
      ),
    ],
    [
      'clusterWide',
      { 'max.connections.per.ip': '0' },
      refused(
        'requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
      ),
    ],
    [
      'clusterWide',
      { 'follower.replication.throttled.rate': '-1' },
      refused('Invalid value -1 for configuration follower.replication.throttled.rate: Value must be at least 0'),
    ],
    ['clusterWide', { 'unclean.leader.election.enable': 'true' }, null],
  ])('%s %j', (scope, changes, expected) => {
    expect(answer(() => checkBrokerChanges(config, scope, properties(changes)))).toBe(expected);
  });

  test('returns the snapshot that would be', () => {
    const after = checkBrokerChanges(config, 'clusterWide', properties({ 'message.max.bytes': '5000' }));
    expect(after.get('message.max.bytes')).toBe(5000);
    expect(config.get('message.max.bytes')).toBe(1_048_588);
  });

  test('what another release wrote and this one cannot use is left out and told', () => {
    const told: string[] = [];
    const written = properties({ 'log.retention.ms': '5', 'log.segment.bytes': 'big', listeners: 'PLAINTEXT://:1' });
    const usable = usableBrokerProperties('clusterWide', written, (name) => told.push(name));
    expect([...usable.keys()]).toEqual(['log.retention.ms']);
    expect(told).toEqual(['log.segment.bytes', 'listeners']);
  });
});

test('lists are known, so that APPEND and SUBTRACT work on them alone', () => {
  expect(isListConfig('topic', 'cleanup.policy')).toBe(true);
  expect(isListConfig('topic', 'retention.ms')).toBe(false);
  expect(isListConfig('topic', 'nosuch')).toBe(false);
  expect(isListConfig('broker', 'log.cleanup.policy')).toBe(true);
});

test('the listener for controllers stays where there is one', () => {
  const withController = brokerConfig({
    listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    'controller.listener.names': 'CONTROLLER',
  });
  const set = (listeners: string) =>
    answer(() => checkBrokerChanges(withController, 'perBroker', properties({ listeners })));
  expect(set('PLAINTEXT://:9092,CONTROLLER://:9094')).toBeNull();
  expect(set('PLAINTEXT://:9092')).toBe(
    "INVALID_REQUEST: requirement failed: controller.listener.names must contain at least one value appearing in the 'listeners' configuration when running the KRaft controller role",
  );
});
