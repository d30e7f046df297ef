import { pbkdf2Sync } from 'node:crypto';
import { expect, test } from 'vitest';
import { describeUserScramCredentials, planAlterUserScramCredentials } from '../../src/controller/scram-control.ts';
import { answerOf, World } from './world.ts';

const saltedPassword = pbkdf2Sync('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096, 32, 'sha256');
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');

const upsertion = (name: string, mechanism = 1, iterations = 4096, password = saltedPassword) => ({
  name,
  mechanism,
  iterations,
  salt,
  saltedPassword: password,
});

type Deletion = { name: string; mechanism: number };

function alter(world: World, deletions: Deletion[], upsertions: ReturnType<typeof upsertion>[]) {
  const { results } = world.run((context) => planAlterUserScramCredentials(context, { deletions, upsertions }));
  return results?.map((result) => [result.user, answerOf(result)]);
}

const TWICE = [92, 'A user credential cannot be altered twice in the same request'];

test.each([
  [[], [upsertion('a', 1, 4095)], [['a', [93, 'Too few iterations']]]],
  [[], [upsertion('a', 1, 16_385)], [['a', [93, 'Too many iterations']]]],
  [[], [upsertion('a', 3)], [['a', [33, 'Unknown SCRAM mechanism']]]],
  [[], [upsertion('')], [['', [93, 'Username must not be empty']]]],
  [[], [upsertion('a', 2, 4096, Buffer.alloc(0))], [['a', [-1, null]]]],
  [[{ name: 'a', mechanism: 1 }], [], [['a', [91, 'Attempt to delete a user credential that does not exist']]]],
  [[{ name: 'a', mechanism: 0 }], [], [['a', [33, 'Unknown SCRAM mechanism']]]],
  [[{ name: '', mechanism: 1 }], [], [['', [93, 'Username must not be empty']]]],
  [
    [
      { name: 'a', mechanism: 1 },
      { name: 'a', mechanism: 2 },
    ],
    [],
    [['a', TWICE]],
  ],
  [[{ name: 'a', mechanism: 1 }], [upsertion('a')], [['a', TWICE]]],
  [
    [],
    [upsertion('a'), upsertion('a'), upsertion('b')],
    [
      ['a', TWICE],
      ['b', null],
    ],
  ],
  [[], [], []],
])('deletes %j and sets %#', (deletions, upsertions, expected) => {
  expect(alter(new World(), deletions, upsertions)).toEqual(expected);
});

test('keeps the keys of RFC 7677, not the password', () => {
  const world = new World();
  alter(world, [], [upsertion('user')]);
  const [credential] = world.image.scramUsers().get('user') ?? [];
  expect(credential.storedKey.toString('base64')).toBe('WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=');
  expect(credential.serverKey.toString('base64')).toBe('wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=');
});

test('tells mechanisms and iterations', () => {
  const world = new World();
  alter(world, [], [upsertion('u')]);
  alter(world, [], [upsertion('u', 2, 8192)]);
  alter(world, [], [upsertion('v')]);
  alter(world, [{ name: 'v', mechanism: 1 }], []);
  const find = (...names: string[]) =>
    describeUserScramCredentials(world.image, { users: names.map((name) => ({ name })) }).results;
  const both = [
    { mechanism: 1, iterations: 4096 },
    { mechanism: 2, iterations: 8192 },
  ];
  expect(find()).toEqual([{ user: 'u', errorCode: 0, errorMessage: '', credentialInfos: both }]);
  expect(find('u', 'v', 'u')?.map(answerOf)).toEqual([
    [92, 'Cannot describe SCRAM credentials for the same user twice in a single request: u'],
    [91, 'Attempt to describe a user credential that does not exist: v'],
  ]);
});
