import { describe, expect, test } from 'vitest';
import { describeClientQuotas, planAlterClientQuotas } from '../../src/controller/quota-control.ts';
import { type Answer, answerOf, World } from './world.ts';

type Entity = [type: string, name: string | null][];
type Op = [key: string, value: number, remove?: boolean];

const entry = (entity: Entity, ops: Op[]) => ({
  entity: entity.map(([entityType, entityName]) => ({ entityType, entityName })),
  ops: ops.map(([key, value, remove = false]) => ({ key, value, remove })),
});

function alter(world: World, entity: Entity, ops: Op[]): Answer {
  const request = { entries: [entry(entity, ops)], validateOnly: false };
  return answerOf((world.run((context) => planAlterClientQuotas(context, request)).entries ?? [])[0]);
}

test.each<[Entity, Op[], Answer]>([
  [[['user', 'u']], [['producer_byte_rate', 1000]], null],
  [
    [
      ['user', null],
      ['client-id', null],
    ],
    [['request_percentage', 12.5]],
    null,
  ],
  [[['ip', '127.0.0.1']], [['connection_creation_rate', 10]], null],
  [[['ip', null]], [['connection_creation_rate', 10]], null],
  [[['user', 'u']], [['consumer_byte_rate', 2000.5]], [42, 'consumer_byte_rate cannot be a fractional value.']],
  [
    [['ip', 'no such host!']],
    [['connection_creation_rate', 1]],
    [42, 'no such host! is not a valid IP or resolvable host.'],
  ],
  [[['ip', '::1']], [['producer_byte_rate', 10]], [42, 'Invalid configuration key producer_byte_rate']],
  [
    [
      ['ip', '::1'],
      ['user', 'a'],
    ],
    [['connection_creation_rate', 1]],
    [42, 'Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId'],
  ],
  [[], [['producer_byte_rate', 10]], [42, 'Invalid empty client quota entity']],
  [[['foo', 'a']], [['producer_byte_rate', 10]], [42, 'Unhandled client quota entity type: foo']],
  [[['user', '']], [['producer_byte_rate', 10]], [42, 'Empty user not supported']],
  [[['user', 'a']], [['nope', 10]], [42, 'Invalid configuration key nope']],
  [[['user', 'a']], [['nope', 0, true]], null],
  [[['user', 'a']], [['producer_byte_rate', 0]], [42, 'Quota producer_byte_rate must be greater than 0']],
  [
    [['user', 'a']],
    [['producer_byte_rate', 1e30]],
    [42, 'Proposed value for producer_byte_rate is too large for a LONG.'],
  ],
  [
    [['ip', '::1']],
    [['connection_creation_rate', 1e10]],
    [42, 'Proposed value for connection_creation_rate is too large for an INT.'],
  ],
  [
    [['user', 'a']],
    [
      ['producer_byte_rate', 1],
      ['producer_byte_rate', 2],
    ],
    [42, 'Ignoring duplicate entity ClientQuotaEntity(entries={user=a})'],
  ],
  [
    [
      ['user', 'a'],
      ['user', 'b'],
    ],
    [['producer_byte_rate', 1]],
    null,
  ],
])('a quota of %j: %j', (entity, ops, expected) => {
  expect(alter(new World(), entity, ops)).toEqual(expected);
});

test('what is there already is not written again; validateOnly writes nothing', () => {
  const world = new World();
  const run = (value: number, validateOnly = false) => {
    const request = { entries: [entry([['user', 'u']], [['producer_byte_rate', value]])], validateOnly };
    return world.run((context) => planAlterClientQuotas(context, request)).records.length;
  };
  expect([run(1), run(1), run(2, true), run(2)]).toEqual([1, 0, 0, 1]);
});

function filled(): World {
  const world = new World();
  alter(world, [['user', 'u']], [['producer_byte_rate', 1]]);
  alter(
    world,
    [
      ['user', 'u'],
      ['client-id', 'c'],
    ],
    [['producer_byte_rate', 2]],
  );
  alter(world, [['user', null]], [['producer_byte_rate', 3]]);
  alter(world, [['client-id', 'c']], [['producer_byte_rate', 4]]);
  alter(world, [['ip', null]], [['connection_creation_rate', 5]]);
  return world;
}

type Component = [entityType: string, matchType: number, match?: string | null];

function find(components: Component[], strict = false) {
  const request = {
    components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
    strict,
  };
  const { entries } = describeClientQuotas(filled().image, request);
  return entries?.map(({ values }) => values?.[0].value);
}

describe('DescribeClientQuotas finds', () => {
  test.each<[Component[], boolean, number[]]>([
    [[], false, [1, 2, 3, 4, 5]],
    [[], true, []],
    [[['user', 0, 'u']], false, [1, 2]],
    [[['user', 0, 'u']], true, [1]],
    [[['user', 1]], false, [3]],
    [[['user', 2]], false, [1, 2, 3]],
    [[['user', 2]], true, [1, 3]],
    [
      [
        ['user', 2],
        ['client-id', 2],
      ],
      false,
      [2],
    ],
    [[['client-id', 2]], false, [2, 4]],
    [[['ip', 2]], false, [5]],
    [[['user', 0, '']], false, []],
  ])('%j strict %s', (components, strict, expected) => {
    expect(find(components, strict)).toEqual(expected);
  });

  test.each<[Component[], string]>([
    [[['user', 3]], 'Unknown match type 3'],
    [[['user', 0, null]], 'Request specified MATCH_TYPE_EXACT, but set match string to null.'],
    [[['user', 1, 'x']], 'Request specified MATCH_TYPE_DEFAULT, but also specified a match string.'],
    [[['user', 2, 'x']], 'Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.'],
    [[['foo', 2]], 'Unsupported entity type foo'],
    [[['', 2]], 'Invalid empty entity type.'],
    [
      [
        ['user', 2],
        ['user', 2],
      ],
      'Entity type user cannot appear more than once in the filter.',
    ],
    [
      [
        ['ip', 2],
        ['user', 2],
      ],
      'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    ],
  ])('no sense in %j', (components, message) => {
    expect(() => find(components)).toThrow(message);
  });
});
