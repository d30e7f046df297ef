import { expect, test } from 'vitest';
import { planUpdateFeatures } from '../../src/controller/feature-control.ts';
import { type Answer, answerOf, World } from './world.ts';

type Update = [feature: string, level: number, upgradeType: number];

function requestOf(updates: Update[], validateOnly: boolean) {
  const featureUpdates = updates.map(([feature, maxVersionLevel, upgradeType]) => ({
    feature,
    maxVersionLevel,
    upgradeType,
    allowDowngrade: false,
  }));
  return { timeoutMs: 0, featureUpdates, validateOnly };
}

function update(world: World, updates: Update[], validateOnly = false) {
  return world.run((context) => planUpdateFeatures(context, requestOf(updates, validateOnly)));
}

const PREFIX = 'The update failed for all features since the following feature had an error: ';
const invalid = (name: string, level: number, why: string): Answer => [
  95,
  `${PREFIX}Invalid update version ${level} for feature ${name}. ${why}`,
];
const NEEDS_TYPE =
  "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.";
const BAD_TYPE = 'The controller does not support the given upgrade type.';

test.each<[Update[], Answer]>([
  [[['group.version', 1, 1]], null],
  [[['group.version', 1, 2]], null],
  [[], null],
  [[['group.version', 2, 1]], invalid('group.version', 2, 'Local controller 1 only supports versions 0-1')],
  [[['group.version', 0, 1]], invalid('group.version', 0, NEEDS_TYPE)],
  [[['group.version', 0, 2]], null],
  [[['group.version', -1, 1]], invalid('group.version', -1, 'A feature version cannot be less than 0.')],
  [[['nosuch', 1, 1]], invalid('nosuch', 1, 'Local controller 1 does not support this feature.')],
  [[['nosuch', 0, 1]], invalid('nosuch', 0, 'Feature nosuch not found.')],
  [[['group.version', 1, 9]], invalid('group.version', 1, BAD_TYPE)],
  [[['group.version', 1, 0]], invalid('group.version', 1, BAD_TYPE)],
  [[['metadata.version', 31, 1]], invalid('metadata.version', 31, 'Local controller 1 only supports versions 7-30')],
  [[['metadata.version', 29, 1]], invalid('metadata.version', 29, NEEDS_TYPE)],
  [
    [['metadata.version', 29, 2]],
    [
      95,
      `${PREFIX}Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the requested downgrade because it might delete metadata information.`,
    ],
  ],
  [
    [['metadata.version', 28, 3]],
    [
      95,
      `${PREFIX}Unsupported metadata.version downgrade from 30 to 28. Unsafe metadata downgrade is not supported in this version.`,
    ],
  ],
  [
    [
      ['share.version', 0, 2],
      ['nosuch', 1, 1],
    ],
    invalid('nosuch', 1, 'Local controller 1 does not support this feature.'),
  ],
])('%j', (updates, expected) => {
  expect(answerOf(update(new World(), updates))).toEqual(expected);
});

const NO_WAY_BACK = "Can't downgrade the version of this feature.";
const NEWER = "Can't downgrade to a newer version.";

test.each<[number, Update, Answer, upgradedTo: number | null, records: string[]]>([
  [0, ['kraft.version', 1, 1], null, 1, ['NoOpRecord']],
  [0, ['kraft.version', 0, 1], null, 0, ['NoOpRecord']],
  [1, ['kraft.version', 1, 1], null, 1, ['NoOpRecord']],
  [1, ['kraft.version', 1, 2], null, 1, []],
  [1, ['kraft.version', 2, 1], invalid('kraft.version', 2, 'Local controller 1 only supports versions 0-1'), null, []],
  [1, ['kraft.version', 0, 1], invalid('kraft.version', 0, NEEDS_TYPE), null, []],
  [1, ['kraft.version', 0, 2], invalid('kraft.version', 0, NO_WAY_BACK), null, []],
  [1, ['kraft.version', 0, 3], invalid('kraft.version', 0, NO_WAY_BACK), null, []],
  [0, ['kraft.version', 1, 2], invalid('kraft.version', 1, NEWER), null, []],
])('of a quorum at %i: %j', (kraftVersion, one, expected, upgradedTo, records) => {
  const world = new World();
  world.kraftVersion = kraftVersion;
  const plan = planUpdateFeatures(world.context(), requestOf([one], false));
  expect(answerOf(plan.response)).toEqual(expected);
  expect(plan.kraftVersion).toBe(upgradedTo);
  expect(plan.records.map(({ message }) => message.name)).toEqual(records);
  expect(planUpdateFeatures(world.context(), requestOf([one], true))).toMatchObject({
    kraftVersion: null,
    records: [],
  });
});

test('one that fails stops all; validateOnly writes nothing', () => {
  const world = new World();
  expect(
    update(world, [
      ['share.version', 0, 2],
      ['nosuch', 1, 1],
    ]).records,
  ).toEqual([]);
  expect(update(world, [['share.version', 0, 2]], true).records).toEqual([]);
  update(world, [['share.version', 0, 2]]);
  expect(world.image.features.has('share.version')).toBe(false);
});

test('eligible leader replicas bring a min.insync.replicas of the cluster', () => {
  const world = new World();
  const feature = 'eligible.leader.replicas.version';
  update(world, [[feature, 0, 2]]);
  const record = update(world, [[feature, 1, 1]]).records;
  expect(record).toHaveLength(1);
  expect(world.image.configs(4, '').get('min.insync.replicas')).toBe('1');
});
