import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign, type MemberSpec } from '../../../src/group/share/assignor.ts';
import type { TopicPartitions } from '../../../src/group/share/topic-partitions.ts';

const partitions = (topics: Readonly<Record<string, number>>): TopicPartitions =>
  new Map(Object.entries(topics).map(([id, count]) => [id, new Set(Array.from({ length: count }, (_, i) => i))]));

const member = (memberId: string, topics: string[], assigned: TopicPartitions = new Map()): MemberSpec => ({
  memberId,
  subscribedTopicIds: new Set(topics),
  assigned,
});

/** As text: member, then topic and partitions. */
function told(assignments: Map<string, TopicPartitions>): string[] {
  return [...assignments].map(([memberId, of]) => {
    const topics = [...of].map(([topicId, all]) => `${topicId}:${[...all].sort((a, b) => a - b).join(',')}`);
    return `${memberId} ${topics.sort().join(' ')}`.trim();
  });
}

const homogeneous = (members: readonly MemberSpec[]): boolean =>
  members.every((m) => [...m.subscribedTopicIds].sort().join() === [...members[0].subscribedTopicIds].sort().join());

const run = (members: MemberSpec[], assignable: TopicPartitions) => assign(members, assignable, homogeneous(members));

/** The same members with what they were assigned. */
const again = (members: MemberSpec[], of: Map<string, TopicPartitions>): MemberSpec[] =>
  members.map((m) => ({ ...m, assigned: of.get(m.memberId) ?? new Map() }));

describe('the assignor of share groups', () => {
  test('one member gets all', () => {
    expect(told(run([member('a', ['t', 'u'])], partitions({ t: 3, u: 1 })))).toEqual(['a t:0,1,2 u:0']);
  });

  test('as many members as partitions get one each', () => {
    const members = ['a', 'b', 'c'].map((id) => member(id, ['t']));
    expect(told(run(members, partitions({ t: 3 })))).toEqual(['a t:0', 'b t:1', 'c t:2']);
  });

  test('more members than partitions share them evenly', () => {
    const members = ['a', 'b', 'c', 'd', 'e'].map((id) => member(id, ['t']));
    const sizes = [...run(members, partitions({ t: 2 })).values()].map((of) => of.get('t')?.size ?? 0);
    expect(sizes.sort()).toEqual([1, 1, 1, 1, 2]);
  });

  test('who has a partition keeps it when somebody joins', () => {
    const members = [member('a', ['t']), member('b', ['t'])];
    const before = run(members, partitions({ t: 4 }));
    const after = run([...again(members, before), member('c', ['t'])], partitions({ t: 4 }));
    for (const { memberId } of members) {
      for (const p of after.get(memberId)?.get('t') ?? []) expect(before.get(memberId)?.get('t')).toContain(p);
    }
    expect(after.get('c')?.get('t')?.size).toBe(1);
  });

  test('what is not assignable, or not subscribed to, goes', () => {
    const had = partitions({ t: 4, u: 2, gone: 1 });
    expect(told(run([member('a', ['t'], had)], partitions({ t: 2, u: 2 })))).toEqual(['a t:0,1']);
  });

  test('members with other subscriptions have only those topics', () => {
    const members = [member('a', ['t', 'u']), member('b', ['u']), member('c', [])];
    expect(told(run(members, partitions({ t: 2, u: 2 })))).toEqual(['a t:0,1 u:0', 'b u:1', 'c']);
  });

  test('nobody and nothing', () => {
    expect(told(run([member('a', ['t'])], new Map()))).toEqual(['a']);
    expect(assign([], partitions({ t: 1 }), true)).toEqual(new Map());
  });

  const topicIds = ['t', 'u', 'v'];
  const anyTopics = fc.record({ t: fc.nat(6), u: fc.nat(3), v: fc.nat(1) });
  const anyMembers = fc.array(fc.subarray(topicIds), { minLength: 1, maxLength: 9 });

  test('property: every partition has a subscriber, as many as any other, and changes are small', () => {
    fc.assert(
      fc.property(anyTopics, anyMembers, anyMembers, anyTopics, (first, subscriptions, later, second) => {
        const members = subscriptions.map((topics, i) => member(`m${i}`, topics));
        const before = run(members, partitions(first));
        check(members, partitions(first), before);
        // nothing changes where nothing has changed
        expect(told(run(again(members, before), partitions(first)))).toEqual(told(before));
        const others = again(
          later.map((topics, i) => member(`m${i}`, topics)),
          before,
        );
        check(others, partitions(second), run(others, partitions(second)));
      }),
      { numRuns: 500 },
    );
  });
});

function check(members: MemberSpec[], assignable: TopicPartitions, assignments: Map<string, TopicPartitions>): void {
  const shares = new Map<string, number>();
  for (const { memberId, subscribedTopicIds } of members) {
    for (const [topicId, all] of assignments.get(memberId) ?? []) {
      expect(subscribedTopicIds).toContain(topicId);
      for (const p of all) {
        expect(assignable.get(topicId)).toContain(p);
        shares.set(`${topicId}-${p}`, (shares.get(`${topicId}-${p}`) ?? 0) + 1);
      }
    }
  }
  for (const [topicId, all] of assignable) {
    if (!members.some((m) => m.subscribedTopicIds.has(topicId))) continue;
    for (const p of all) expect(shares.get(`${topicId}-${p}`) ?? 0, `members of ${topicId}-${p}`).toBeGreaterThan(0);
  }
  if (!homogeneous(members) || shares.size === 0) return;
  const sizes = members.map((m) => [...(assignments.get(m.memberId)?.values() ?? [])].reduce((n, s) => n + s.size, 0));
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
}
