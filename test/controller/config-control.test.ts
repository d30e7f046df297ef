import { describe, expect, test } from 'vitest';
import { ClearElrRecord } from '../../protocol/metadata/index.ts';
import { planFenceBroker } from '../../src/controller/cluster-control.ts';
import { planAlterConfigs, planIncrementalAlterConfigs } from '../../src/controller/config-control.ts';
import type { MetadataRecord } from '../../src/controller/records.ts';
import { type Answer, answerOf, World } from './world.ts';

const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3];
type Change = [name: string, operation: number, value: string | null];

function incremental(world: World, type: number, name: string, changes: Change[], validateOnly = false) {
  const configs = changes.map(([n, configOperation, value]) => ({ name: n, configOperation, value }));
  const request = { resources: [{ resourceType: type, resourceName: name, configs }], validateOnly };
  return world.run((context) => planIncrementalAlterConfigs(context, request));
}

const answer = (...args: Parameters<typeof incremental>): Answer => {
  const [result] = incremental(...args).responses ?? [];
  return answerOf(result);
};

function replace(world: World, type: number, name: string, configs: [string, string | null][]): Answer {
  const resource = {
    resourceType: type,
    resourceName: name,
    configs: configs.map(([n, value]) => ({ name: n, value })),
  };
  const { responses } = world.run((c) => planAlterConfigs(c, { resources: [resource], validateOnly: false }));
  return answerOf((responses ?? [])[0]);
}

function worldWithTopic(): World {
  const world = new World();
  world.addTopic('a', [1]);
  return world;
}

function inWords({ message, value }: MetadataRecord): string {
  const fields = value as { topicName?: string; name?: string; value?: string | null };
  return message === ClearElrRecord ? `clear ${fields.topicName}` : `${fields.name}=${fields.value}`;
}

const notList = (name: string): Answer => [40, `Can't APPEND to key ${name} because its type is not LIST.`];

describe('what Kafka 4.3.1 says to', () => {
  test.each<[number, string, Change[], Answer]>([
    [2, 'a', [['retention.ms', SET, '1000']], null],
    [
      2,
      'a',
      [['retention.ms', SET, 'x']],
      [40, 'Invalid value x for configuration retention.ms: Not a number of type LONG'],
    ],
    [2, 'a', [['nope', SET, 'x']], [40, 'Unknown topic config name: nope']],
    [2, 'a', [['nope', DELETE, null]], null],
    [2, 'nosuch', [['retention.ms', SET, '1']], [3, "The topic 'nosuch' does not exist."]],
    [2, 'nosuch', [['nope', SET, '1']], [40, 'Unknown topic config name: nope']],
    [2, '', [['retention.ms', SET, '1']], [42, 'Default topic resources are not allowed.']],
    [
      2,
      'b!',
      [['retention.ms', SET, '1']],
      [
        17,
        "Topic name is invalid: 'b!' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
      ],
    ],
    [2, 'a', [['retention.ms', APPEND, '5']], notList('retention.ms')],
    [2, 'a', [['nope', APPEND, '5']], notList('nope')],
    [
      2,
      'a',
      [
        ['retention.ms', SET, null],
        ['segment.ms', SET, null],
      ],
      [42, 'Null value not supported for : retention.ms, segment.ms'],
    ],
    [
      2,
      'a',
      [
        ['retention.ms', SET, '1'],
        ['retention.ms', DELETE, null],
      ],
      [42, 'Error due to duplicate config keys'],
    ],
    [4, '1', [['nope.my.thing', SET, 'x']], null],
    [4, '1', [['nope.my.thing', APPEND, 'x']], [40, 'Unknown config name: nope.my.thing']],
    [4, '1', [['log.cleaner.threads', SET, '2']], null],
    [
      4,
      '1',
      [['log.cleaner.threads', APPEND, '2']],
      [40, 'Config value append is not allowed for config key: log.cleaner.threads'],
    ],
    [4, '1', [['log.cleaner.threads', 9, '2']], [42, 'Unknown operations type 9']],
    [4, '2', [['log.cleaner.threads', SET, '2']], [42, 'Unexpected broker id, expected 1, but received 2']],
    [4, 'x', [['log.cleaner.threads', SET, '2']], [42, 'Node id must be an integer, but it is: x']],
    [4, '', [['node.id', SET, '2']], [42, 'Cannot update these configs dynamically: [node.id]']],
    [
      4,
      '',
      [['min.insync.replicas', DELETE, null]],
      [40, 'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.'],
    ],
    [4, '', [['min.insync.replicas', SET, '2']], null],
    [
      4,
      '1',
      [['min.insync.replicas', SET, '1']],
      [40, 'Broker-level min.insync.replicas cannot be altered while ELR is enabled.'],
    ],
    [
      4,
      '1',
      [['min.insync.replicas', DELETE, null]],
      [40, 'Broker-level min.insync.replicas cannot be altered while ELR is enabled.'],
    ],
    [16, 'm', [['metrics', SET, 'a,b']], null],
    [16, '', [['metrics', SET, 'a']], [42, "Subscription name can't be empty"]],
    [16, 'm', [['metrics', APPEND, 'c']], notList('metrics')],
    [16, 'm', [['foo', SET, 'c']], [42, 'Unknown client metrics configuration: foo']],
    [32, 'g', [['consumer.session.timeout.ms', SET, '50000']], null],
    [32, '', [['consumer.session.timeout.ms', SET, '50000']], [42, 'Default group resources are not allowed.']],
    [32, 'g', [['foo', SET, '1']], [40, 'Unknown group config name: foo']],
    [0, 'x', [['a', SET, 'b']], [42, 'Unknown resource type 0']],
    [99, 'x', [['a', SET, 'b']], [42, 'Unknown resource type 99']],
  ])('%i/%s %j', (type, name, changes, expected) => {
    expect(answer(worldWithTopic(), type, name, changes)).toEqual(expected);
  });

  test.each<[number, string, [string, string | null][], Answer]>([
    [2, 'a', [['segment.ms', '100000']], null],
    [2, 'a', [['segment.ms', null]], [42, 'Null value not supported for : segment.ms']],
    [2, 'nosuch', [['segment.ms', '1']], [3, "The topic 'nosuch' does not exist."]],
    [
      2,
      'a',
      [
        ['segment.ms', '1'],
        ['segment.ms', '1'],
      ],
      [42, 'Error due to duplicate config keys'],
    ],
    [4, '1', [], null],
    [4, '', [], [40, 'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.']],
    [4, '', [['min.insync.replicas', '1']], null],
    [8, '1', [['root', 'INFO']], [42, 'Unknown resource type 8']],
    [16, 'm', [], null],
    [32, 'g', [], null],
  ])('a replacement of %i/%s by %j', (type, name, configs, expected) => {
    expect(replace(worldWithTopic(), type, name, configs)).toEqual(expected);
  });
});

test('lists grow from their default, hold each element once, and shrink', () => {
  const world = worldWithTopic();
  const policy = () => world.image.configs(2, 'a').get('cleanup.policy');
  answer(world, 2, 'a', [['cleanup.policy', APPEND, 'compact,delete']]);
  expect(policy()).toBe('delete,compact');
  answer(world, 2, 'a', [['cleanup.policy', SUBTRACT, 'delete']]);
  expect(policy()).toBe('compact');
  answer(world, 2, 'a', [['cleanup.policy', DELETE, null]]);
  expect(policy()).toBeUndefined();
});

test('what stays the same is written for brokers only', () => {
  const world = worldWithTopic();
  const twice = (type: number, name: string, change: Change) => {
    incremental(world, type, name, [change]);
    return incremental(world, type, name, [change]).records.length;
  };
  expect(twice(2, 'a', ['retention.ms', SET, '1'])).toBe(0);
  expect(twice(4, '1', ['log.cleaner.threads', SET, '2'])).toBe(1);
});

test('a replacement removes what it does not name', () => {
  const world = worldWithTopic();
  incremental(world, 2, 'a', [
    ['retention.ms', SET, '1'],
    ['segment.ms', SET, '2'],
  ]);
  replace(world, 2, 'a', [['segment.ms', '3']]);
  expect([...world.image.configs(2, 'a')]).toEqual([['segment.ms', '3']]);
});

test('validateOnly answers and writes nothing', () => {
  const result = incremental(worldWithTopic(), 2, 'a', [['retention.ms', SET, '1']], true);
  expect([result.records, answerOf((result.responses ?? [])[0])]).toEqual([[], null]);
});

test('a resource that comes twice is refused each time, the others are not', () => {
  const world = worldWithTopic();
  world.addTopic('b', [1]);
  const resource = (resourceName: string) => ({
    resourceType: 2,
    resourceName,
    configs: [{ name: 'retention.ms', configOperation: SET, value: '1' }],
  });
  const request = { resources: [resource('a'), resource('a'), resource('b')], validateOnly: false };
  const { responses } = world.run((context) => planIncrementalAlterConfigs(context, request));
  const twice: Answer = [42, 'Each resource must appear at most once.'];
  expect(responses?.map(answerOf)).toEqual([twice, twice, null]);
});

describe('eligible leader replicas are cleared when the limit of in-sync replicas changes', () => {
  test.each<[number, string, Change[], string[]]>([
    [2, 'a', [['min.insync.replicas', SET, '2']], ['min.insync.replicas=2', 'clear a']],
    [4, '', [['min.insync.replicas', SET, '2']], ['min.insync.replicas=2', 'clear ']],
    [2, 'a', [['retention.ms', SET, '5']], ['retention.ms=5']],
    [
      4,
      '',
      [
        ['min.insync.replicas', SET, '2'],
        ['log.retention.ms', SET, '5'],
      ],
      ['min.insync.replicas=2', 'log.retention.ms=5', 'clear '],
    ],
  ])('%i/%s %j', (type, name, changes, expected) => {
    expect(incremental(worldWithTopic(), type, name, changes).records.map(inWords)).toEqual(expected);
  });

  test('a value that goes away, and one that is replaced', () => {
    const world = worldWithTopic();
    incremental(world, 2, 'a', [['min.insync.replicas', SET, '2']]);
    const deleted = incremental(world, 2, 'a', [['min.insync.replicas', DELETE, null]]);
    expect(deleted.records.map(inWords)).toEqual(['min.insync.replicas=null', 'clear a']);
    incremental(world, 2, 'a', [['min.insync.replicas', SET, '2']]);
    expect(replace(world, 2, 'a', [])).toBeNull();
    expect(world.image.configs(2, 'a').size).toBe(0);
  });

  test('partitions that have some get a new epoch, others stay as they are', () => {
    const world = worldWithTopic();
    world.run((context) => ({ records: planFenceBroker(context), response: {} }));
    const before = world.image.topic('a')?.partitions[0];
    expect(before).toMatchObject({ isr: [], elr: [1], lastKnownElr: [1] });
    incremental(world, 2, 'a', [['min.insync.replicas', SET, '2']]);
    const after = world.image.topic('a')?.partitions[0];
    expect(after).toEqual({ ...before, elr: [], lastKnownElr: [], partitionEpoch: (before?.partitionEpoch ?? 0) + 1 });
    incremental(world, 2, 'a', [['min.insync.replicas', SET, '3']]);
    expect(world.image.topic('a')?.partitions[0]).toBe(after);
  });
});
