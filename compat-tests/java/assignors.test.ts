import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Assignor, GroupAssignment, MemberSpec } from '../../src/group/consumer/assignors/assignor.ts';
import { rangeAssignor } from '../../src/group/consumer/assignors/range.ts';
import { uniformAssignor } from '../../src/group/consumer/assignors/uniform.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { times } from '../helpers.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { programCommand, run } from '../oracle/tool.ts';

const COUNT = 400;

/** Partitions by topic id, by member id. */
type Targets = Record<string, Record<string, number[]>>;

interface Input {
  readonly assignor: string;
  readonly isHomogeneous: boolean;
  readonly topics: Record<string, number>;
  readonly members: readonly {
    readonly id: string;
    readonly instanceId: string | null;
    readonly topics: readonly string[];
    readonly target: Record<string, number[]>;
  }[];
}

/** A group as an earlier assignment left it, with members that have come and gone since. */
function randomInput(random: SeededRandom, assignor: Assignor, isHomogeneous: boolean): Input {
  const topicIds = times(1 + random.int(4), (i) => Buffer.from(`topic-${i}`.padEnd(16, '.')).toString('base64url'));
  const topics = Object.fromEntries(topicIds.map((id) => [id, random.int(12)]));
  const member = (i: number) => ({
    id: `m${i}`,
    instanceId: random.int(3) === 0 ? `i${100 - i}` : null,
    topics: isHomogeneous ? topicIds : topicIds.filter(() => random.int(2) === 0),
    target: {},
  });
  const before: Input = { assignor: assignor.name, isHomogeneous, topics, members: times(1 + random.int(6), member) };
  const targets = plain(ours(before, assignor));
  const stayed = before.members.filter(() => random.int(4) > 0).map((m) => ({ ...m, target: targets[m.id] ?? {} }));
  return { ...before, members: [...stayed, ...times(1 + random.int(3), (i) => member(10 + i))] };
}

function ours({ isHomogeneous, topics, members }: Input, assignor: Assignor): GroupAssignment {
  const specs = members.map(({ id, instanceId, topics: ids, target }): [string, MemberSpec] => [
    id,
    {
      instanceId,
      subscribedTopicIds: new Set(ids),
      target: new Map(Object.entries(target).map(([topicId, partitions]) => [topicId, new Set(partitions)])),
    },
  ]);
  return assignor.assign({ members: new Map(specs), isHomogeneous, partitionCount: (id) => topics[id] });
}

function plain(assignment: GroupAssignment): Targets {
  const sorted = (partitions: ReadonlySet<number>) => [...partitions].sort((a, b) => a - b);
  return Object.fromEntries(
    [...assignment].map(([id, target]) => [
      id,
      Object.fromEntries([...target].map(([topicId, partitions]) => [topicId, sorted(partitions)])),
    ]),
  );
}

const sizeOf = (target: Record<string, number[]> = {}): number => Object.values(target).flat().length;

/** How many partitions each has, and how many of them moved away from a member that stays. */
function summary({ members }: Input, targets: Targets) {
  const sizes = members.map(({ id }) => sizeOf(targets[id])).sort((a, b) => a - b);
  const lost = members.map(({ id, target }) =>
    Object.entries(target).flatMap(([topicId, partitions]) =>
      partitions.filter((partition) => !targets[id]?.[topicId]?.includes(partition)),
    ),
  );
  return { sizes, moved: lost.flat().length };
}

async function kafkas(inputs: readonly Input[]): Promise<Targets[]> {
  const command = programCommand(join(import.meta.dirname, 'Assignors.java'), []);
  const stdin = inputs.map((input) => JSON.stringify(input)).join('\n');
  const { stdout, stderr, code } = await run('java', command, { stdin });
  if (code !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Targets);
}

describe('assignors, beside those of Apache Kafka', () => {
  const oracle = oracleAvailable();
  if (!oracle.available) return it.skip(`SKIPPED, Apache Kafka cannot be run: ${oracle.reason}`, () => {});

  it.each([true, false])('range: the same targets (same topics for all: %s)', async (isHomogeneous) => {
    const random = new SeededRandom(1);
    const inputs = times(COUNT, () => randomInput(random, rangeAssignor, isHomogeneous));
    const expected = await kafkas(inputs);
    for (const [i, input] of inputs.entries()) expect(plain(ours(input, rangeAssignor))).toEqual(expected[i]);
  });

  it('uniform, same topics for all: the same sizes, and as few moves', async () => {
    const random = new SeededRandom(2);
    const inputs = times(COUNT, () => randomInput(random, uniformAssignor, true));
    const expected = await kafkas(inputs);
    for (const [i, input] of inputs.entries())
      expect(summary(input, plain(ours(input, uniformAssignor)))).toEqual(summary(input, expected[i]));
  });

  // both stop where no single move helps any more, and that is not always the same place
  it('uniform, different topics: as many partitions for all together, as even on the whole, and as few moves', async () => {
    const random = new SeededRandom(3);
    const inputs = times(COUNT, () => randomInput(random, uniformAssignor, false));
    const expected = await kafkas(inputs);
    const total = { ours: { unevenness: 0, moved: 0 }, kafkas: { unevenness: 0, moved: 0 } };
    for (const [i, input] of inputs.entries()) {
      const [a, b] = [summary(input, plain(ours(input, uniformAssignor))), summary(input, expected[i])];
      expect(sum(a.sizes)).toBe(sum(b.sizes));
      total.ours.unevenness += sum(a.sizes.map((size) => size * size));
      total.kafkas.unevenness += sum(b.sizes.map((size) => size * size));
      total.ours.moved += a.moved;
      total.kafkas.moved += b.moved;
    }
    expect(total.ours.unevenness / total.kafkas.unevenness).toBeLessThan(1.005);
    expect(total.ours.moved / total.kafkas.moved).toBeLessThan(1.05);
  });
});

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
