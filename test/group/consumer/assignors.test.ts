import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Assignor, GroupAssignment, GroupSpec } from '../../../src/group/consumer/assignors/assignor.ts';
import { rangeAssignor } from '../../../src/group/consumer/assignors/range.ts';
import { uniformAssignor } from '../../../src/group/consumer/assignors/uniform.ts';

interface Topics {
  readonly [topicId: string]: number;
}

interface Subscriber {
  readonly memberId: string;
  readonly topicIds: readonly string[];
  readonly instanceId?: string | null;
}

/** A group whose members have what `before` gave them. */
function groupOf(topics: Topics, subscribers: readonly Subscriber[], before: GroupAssignment = new Map()): GroupSpec {
  const lists = subscribers.map(({ topicIds }) => [...topicIds].sort().join(' '));
  const members = new Map(
    subscribers.map(({ memberId, topicIds, instanceId = null }) => [
      memberId,
      { instanceId, subscribedTopicIds: new Set(topicIds), target: before.get(memberId) ?? new Map() },
    ]),
  );
  return { members, isHomogeneous: new Set(lists).size <= 1, partitionCount: (topicId) => topics[topicId] };
}

function targetsOf(assignment: GroupAssignment): Map<string, string[]> {
  const named = [...assignment].map(([memberId, target]): [string, string[]] => [
    memberId,
    [...target].flatMap(([topicId, partitions]) => [...partitions].map((index) => `${topicId}-${index}`)).sort(),
  ]);
  return new Map(named);
}

/** All partitions of topics that somebody subscribes to. */
function wanted(topics: Topics, subscribers: readonly Subscriber[]): string[] {
  const ids = new Set(subscribers.flatMap(({ topicIds }) => topicIds));
  return [...ids].flatMap((id) => Array.from({ length: topics[id] }, (_, i) => `${id}-${i}`)).sort();
}

const TOPIC_IDS = ['A', 'B', 'C', 'D'];
const topicsArbitrary = fc.record(Object.fromEntries(TOPIC_IDS.map((id) => [id, fc.integer({ min: 0, max: 9 })])));
const names = fc.uniqueArray(fc.stringMatching(/^m[0-9]{1,2}$/), { minLength: 1, maxLength: 8 });
const subscribersOf = (ids: fc.Arbitrary<string[]>): fc.Arbitrary<Subscriber[]> =>
  names.chain((memberIds) =>
    fc.tuple(...memberIds.map((memberId) => ids.map((topicIds): Subscriber => ({ memberId, topicIds })))),
  );
const someTopics = fc.subarray(TOPIC_IDS);
const heterogeneous = subscribersOf(someTopics);
const homogeneous = someTopics.chain((ids) => subscribersOf(fc.constant(ids)));

describe.each([uniformAssignor, rangeAssignor])('the $name assignor', (assignor: Assignor) => {
  it.each([
    ['the same topics', homogeneous],
    ['different topics', heterogeneous],
  ])('gives every partition to one subscriber of %s', (_what, subscribers) => {
    fc.assert(
      fc.property(topicsArbitrary, subscribers, (topics, list) => {
        const assignment = targetsOf(assignor.assign(groupOf(topics, list)));
        expect([...assignment.values()].flat().sort()).toEqual(wanted(topics, list));
        for (const { memberId, topicIds } of list)
          for (const partition of assignment.get(memberId) ?? []) expect(topicIds).toContain(partition.split('-')[0]);
      }),
    );
  });

  it('changes nothing where nothing has changed', () => {
    fc.assert(
      fc.property(topicsArbitrary, heterogeneous, (topics, list) => {
        const first = assignor.assign(groupOf(topics, list));
        expect(targetsOf(assignor.assign(groupOf(topics, list, first)))).toEqual(targetsOf(first));
      }),
    );
  });

  it('has nothing to give where nobody subscribes', () => {
    const list = [{ memberId: 'a', topicIds: [] }];
    expect([...targetsOf(assignor.assign(groupOf({}, list))).values()].flat()).toEqual([]);
  });
});

describe('the uniform assignor', () => {
  it('gives all members of one subscription the same, but for one partition', () => {
    fc.assert(
      fc.property(topicsArbitrary, homogeneous, (topics, list) => {
        const sizes = [...targetsOf(uniformAssignor.assign(groupOf(topics, list))).values()].map((all) => all.length);
        if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('moves no more partitions than those who come and go make necessary', () => {
    fc.assert(
      fc.property(topicsArbitrary, names, names, (topics, before, after) => {
        const subscribe = (memberId: string) => ({ memberId, topicIds: TOPIC_IDS });
        const first = uniformAssignor.assign(groupOf(topics, before.map(subscribe)));
        const staying = new Map([...first].filter(([memberId]) => after.includes(memberId)));
        const second = uniformAssignor.assign(groupOf(topics, after.map(subscribe), staying));
        const [old, next] = [targetsOf(staying), targetsOf(second)];
        const quota = [...next.values()].flat().length / after.length;
        let lost = 0;
        let excess = 0;
        for (const [memberId, partitions] of old) {
          lost += partitions.filter((one) => !next.get(memberId)?.includes(one)).length;
          excess += Math.max(0, partitions.length - Math.floor(quota));
        }
        // whoever has more than its share may keep one more, as long as there are partitions left over
        const leftOver = [...next.values()].flat().length % after.length;
        const keepers = [...old.values()].filter((partitions) => partitions.length > Math.floor(quota)).length;
        expect(lost).toBe(excess - Math.min(leftOver, keepers));
      }),
    );
  });

  it('levels out as far as the subscriptions allow', () => {
    const topics = { A: 4, B: 4 };
    const list = [
      { memberId: 'a', topicIds: ['A'] },
      { memberId: 'b', topicIds: ['A', 'B'] },
    ];
    const first = uniformAssignor.assign(groupOf(topics, list));
    expect([...targetsOf(first).values()].map((all) => all.length)).toEqual([4, 4]);
  });

  it('lets nobody have two partitions more than one who could have one of them', () => {
    fc.assert(
      fc.property(topicsArbitrary, heterogeneous, (topics, list) => {
        const assignment = targetsOf(uniformAssignor.assign(groupOf(topics, list)));
        const sizeOf = (memberId: string) => assignment.get(memberId)?.length ?? 0;
        for (const [memberId, partitions] of assignment) {
          for (const partition of partitions) {
            const others = list.filter(({ topicIds }) => topicIds.includes(partition.split('-')[0]));
            for (const other of others) expect(sizeOf(memberId) - sizeOf(other.memberId)).toBeLessThanOrEqual(1);
          }
        }
      }),
    );
  });
});

describe('the range assignor', () => {
  it('gives ranges in the order of the members, static ones first', () => {
    const list = [
      { memberId: 'a', topicIds: ['A', 'B'] },
      { memberId: 'z', topicIds: ['A', 'B'], instanceId: 'i2' },
      { memberId: 'b', topicIds: ['A', 'B'] },
      { memberId: 'y', topicIds: ['A', 'B'], instanceId: 'i1' },
    ];
    const assignment = targetsOf(rangeAssignor.assign(groupOf({ A: 6, B: 2 }, list)));
    expect(Object.fromEntries(assignment)).toEqual({
      y: ['A-0', 'A-1', 'B-0'],
      z: ['A-2', 'A-3', 'B-1'],
      a: ['A-4'],
      b: ['A-5'],
    });
  });
});
