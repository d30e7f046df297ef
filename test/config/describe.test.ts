import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BrokerConfig } from '../../src/config/broker-config.ts';
import {
  type ConfigEntry,
  ConfigSource,
  describeBroker,
  describeClientMetrics,
  describeClusterWide,
  describeGroup,
  describeTopic,
} from '../../src/config/describe.ts';
import { brokerDefinitions } from '../../src/config/tables/index.ts';
import { properties } from './samples.ts';

interface Fact {
  readonly case: string;
  readonly name: string;
  readonly value: string | null;
  readonly source: string;
  readonly readOnly: boolean;
  readonly sensitive: boolean;
  readonly type: string;
  readonly synonyms: readonly [string, string | null, string][];
}

const facts: Fact[] = readFileSync(new URL('./facts/describe.ndjson', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

/** The names that Kafka's Admin client has for sources and types, by their numbers on the wire. */
const SOURCES: Record<number, string> = {
  ...Object.fromEntries(Object.entries(ConfigSource).map(([name, id]) => [id, name])),
  [ConfigSource.CLIENT_METRICS_CONFIG]: 'DYNAMIC_CLIENT_METRICS_CONFIG',
  [ConfigSource.GROUP_CONFIG]: 'DYNAMIC_GROUP_CONFIG',
};
const TYPES = ['UNKNOWN', 'BOOLEAN', 'STRING', 'INT', 'SHORT', 'LONG', 'DOUBLE', 'LIST', 'CLASS', 'PASSWORD'];

/** As KIP-966 leaves it on every new cluster. */
const OF_A_NEW_CLUSTER = { 'min.insync.replicas': '1' };

const before = new BrokerConfig(
  properties({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': '1@127.0.0.1:9091',
    listeners: 'PLAINTEXT://127.0.0.1:9090,CONTROLLER://127.0.0.1:9091',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:9090',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': '/var/lib/kafka',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.retention.hours': '24',
    'log.roll.hours': '2',
    'foo.bar': '1',
    'broker.rack': 'r1 ',
    'listener.name.plaintext.max.connections': '500',
    'sasl.jaas.config': 'secret',
    'log.flush.scheduler.interval.ms': '5000',
    'log.initial.task.delay.ms': '31000',
    'group.share.delivery.count.limit': '6',
  }),
  { clusterWide: properties(OF_A_NEW_CLUSTER), perBroker: new Map() },
);

const after = before.withDynamic({
  clusterWide: properties({
    'log.retention.ms': '7000',
    'max.connections': '99',
    'log.cleaner.threads': '2',
    'leader.replication.throttled.rate': '1000',
    'log.flush.interval.ms': '123',
    ...OF_A_NEW_CLUSTER,
  }),
  perBroker: properties({
    'log.retention.ms': '8000',
    'log.cleaner.threads': '4',
    'listener.name.plaintext.max.connections': '55',
    'log.segment.bytes': '2000000',
    'follower.replication.throttled.rate': '2000',
  }),
});

const topic = properties({
  'cleanup.policy': 'compact,delete',
  'retention.ms': ' 1000 ',
  'leader.replication.throttled.replicas': '0:1',
  'internal.segment.bytes': '1000',
});
const group = properties({ 'consumer.session.timeout.ms': '46000', 'share.delivery.count.limit': '4' });
const subscription = properties({ metrics: 'a.,b.,a.', 'interval.ms': '1000', match: 'client_id=x.*' });

const none = new Map<string, string>();

function asFact(label: string, entry: ConfigEntry): Fact {
  const { name, value, source, readOnly, sensitive, type, synonyms } = entry;
  return {
    case: label,
    name,
    value,
    source: SOURCES[source]!,
    readOnly,
    sensitive,
    type: TYPES[type]!,
    synonyms: synonyms.map((synonym) => [synonym.name, synonym.value, SOURCES[synonym.source]!]),
  };
}

function byName(one: Fact, other: Fact): number {
  return one.name < other.name ? -1 : 1;
}

test.each([
  ['static default', describeClusterWide(before)],
  ['static topic', describeTopic(before, none)],
  ['static group', describeGroup(before, none)],
  ['static cm', describeClientMetrics(none)],
  ['dynamic default', describeClusterWide(after)],
  ['dynamic topic', describeTopic(after, topic)],
  ['dynamic group', describeGroup(after, group)],
  ['dynamic cm', describeClientMetrics(subscription)],
])('%s: as Kafka answers', (label, entries) => {
  const theirs = facts.filter((fact) => fact.case === label).sort(byName);
  expect(entries.map((entry) => asFact(label, entry)).sort(byName)).toEqual(theirs);
});

test.each([
  ['static broker', describeBroker(before)],
  ['dynamic broker', describeBroker(after)],
])('%s: what is not a plain default is as Kafka answers', (label, entries) => {
  const theirs = facts.filter((fact) => fact.case === label).sort(byName);
  const names = new Set(theirs.map(({ name }) => name));
  const ours = entries.map((entry) => asFact(label, entry)).sort(byName);
  expect(ours.filter(({ name }) => names.has(name))).toEqual(theirs);
  const rest = ours.filter(({ name }) => !names.has(name));
  expect(rest.every(({ source }) => source === 'DEFAULT_CONFIG')).toBe(true);
  const shown = [...brokerDefinitions.values()].filter(({ internal }) => !internal).map(({ name }) => name);
  expect(new Set(ours.map(({ name }) => name))).toEqual(new Set([...shown, ...names]));
});

test('configurations have a phrase of documentation', () => {
  const entries = describeTopic(before, none);
  expect(entries.find(({ name }) => name === 'retention.ms')?.documentation).toContain('milliseconds');
});
