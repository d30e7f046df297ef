import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AssignedMember,
  assignSticky,
  type SubtopologyTasks,
} from '../../../src/group/streams/assignors/sticky.ts';
import { eachTask, NO_TASKS, type TaskSets, type Tasks, taskKey } from '../../../src/group/streams/tasks.ts';

type Members = Map<string, AssignedMember>;

const keys = (tasks: Tasks): string[] => [...eachTask(tasks)].map(([id, p]) => taskKey(id, p));
const size = ({ active, standby }: TaskSets): number => keys(active).length + keys(standby).length;

const shapes = fc
  .array(fc.record({ isStateful: fc.boolean(), numberOfTasks: fc.integer({ min: 1, max: 12 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((list) => new Map<string, SubtopologyTasks>(list.map((shape, i) => [String(i), shape])));

/** Members by the process that each is in. */
const newMembers = fc
  .array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 9 })
  .map((processes): Members => new Map(processes.map((p, i) => [`m${i}`, { processId: `p${p}`, previous: NO_TASKS }])));

const numStandbyReplicas = fc.integer({ min: 0, max: 2 });

const next = (members: Members, assignment: ReadonlyMap<string, TaskSets>): Members =>
  new Map([...members].map(([id, m]) => [id, { ...m, previous: assignment.get(id) ?? NO_TASKS }]));

const spread = (values: number[]): number => Math.max(...values) - Math.min(...values);

function allTasks(subtopologies: ReadonlyMap<string, SubtopologyTasks>, isWanted: (s: SubtopologyTasks) => boolean) {
  return [...subtopologies].flatMap(([id, s]) =>
    isWanted(s) ? Array.from({ length: s.numberOfTasks }, (_, p) => taskKey(id, p)) : [],
  );
}

describe('the sticky task assignor', () => {
  it('makes every task active exactly once', () => {
    fc.assert(
      fc.property(shapes, newMembers, numStandbyReplicas, (subtopologies, members, replicas) => {
        const assignment = assignSticky({ members, subtopologies, numStandbyReplicas: replicas });
        const active = [...assignment.values()].flatMap(({ active }) => keys(active));
        expect(active.sort()).toEqual(allTasks(subtopologies, () => true).sort());
        expect([...assignment.keys()]).toEqual([...members.keys()]);
      }),
    );
  });

  it('gives a stateful task as many standbys as there are other processes, up to what is asked for', () => {
    fc.assert(
      fc.property(shapes, newMembers, numStandbyReplicas, (subtopologies, members, replicas) => {
        const assignment = assignSticky({ members, subtopologies, numStandbyReplicas: replicas });
        const processes = new Map<string, string[]>();
        for (const [memberId, { active, standby }] of assignment) {
          for (const key of [...keys(active), ...keys(standby)]) {
            processes.set(key, [...(processes.get(key) ?? []), members.get(memberId)?.processId ?? '']);
          }
        }
        const processCount = new Set([...members.values()].map((m) => m.processId)).size;
        for (const key of allTasks(subtopologies, (s) => s.isStateful)) {
          const inProcesses = processes.get(key) ?? [];
          expect(new Set(inProcesses).size).toBe(inProcesses.length);
          expect(inProcesses.length).toBe(1 + Math.min(replicas, processCount - 1));
        }
        for (const key of allTasks(subtopologies, (s) => !s.isStateful)) expect(processes.get(key)).toHaveLength(1);
      }),
    );
  });

  it('spreads active tasks over processes by their members', () => {
    fc.assert(
      fc.property(shapes, newMembers, (subtopologies, members) => {
        const assignment = assignSticky({ members, subtopologies, numStandbyReplicas: 0 });
        const counts = [...members.keys()].map((id) => size(assignment.get(id) ?? NO_TASKS));
        expect(spread(counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('changes nothing where nothing has changed', () => {
    fc.assert(
      fc.property(shapes, newMembers, (subtopologies, members) => {
        const input = { subtopologies, numStandbyReplicas: 0 };
        const first = assignSticky({ ...input, members });
        expect(assignSticky({ ...input, members: next(members, first) })).toEqual(first);
      }),
    );
  });

  it('takes from members that stay only what one that comes is to have, where each is a process', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 9 }), (subtopologies, count) => {
        const alone = (id: string) => [id, { processId: id, previous: NO_TASKS }] as const;
        const members: Members = new Map(Array.from({ length: count }, (_, i) => alone(`m${i}`)));
        const input = { subtopologies, numStandbyReplicas: 0 };
        const first = assignSticky({ ...input, members });
        const second = assignSticky({ ...input, members: next(members, first).set(...alone('late')) });
        const moved = [...members.keys()].flatMap((id) => {
          const has = new Set(keys(second.get(id)?.active ?? new Map()));
          return keys(first.get(id)?.active ?? new Map()).filter((key) => !has.has(key));
        });
        expect(moved.sort()).toEqual(keys(second.get('late')?.active ?? new Map()).sort());
      }),
    );
  });

  it('leaves to those who stay what they have when one goes', () => {
    fc.assert(
      fc.property(shapes, newMembers, numStandbyReplicas, fc.nat(), (subtopologies, members, replicas, n) => {
        const input = { subtopologies, numStandbyReplicas: replicas };
        const first = assignSticky({ ...input, members });
        const gone = [...members.keys()][n % members.size];
        const fewer = next(members, first);
        fewer.delete(gone);
        const second = assignSticky({ ...input, members: fewer });
        for (const id of fewer.keys()) {
          const has = new Set(keys(second.get(id)?.active ?? new Map()));
          for (const key of keys(first.get(id)?.active ?? new Map())) expect(has.has(key)).toBe(true);
        }
      }),
    );
  });

  it('makes the standby of a task active where its process has gone', () => {
    const members: Members = new Map(['a', 'b', 'c'].map((id) => [id, { processId: id, previous: NO_TASKS }]));
    const subtopologies = new Map([['0', { isStateful: true, numberOfTasks: 6 }]]);
    const first = assignSticky({ members, subtopologies, numStandbyReplicas: 1 });
    const fewer = next(members, first);
    fewer.delete('a');
    const second = assignSticky({ members: fewer, subtopologies, numStandbyReplicas: 1 });
    const isFull = (id: string) => keys(second.get(id)?.active ?? new Map()).length === 3;
    for (const key of keys(first.get('a')?.active ?? new Map())) {
      const heir = ['b', 'c'].find((id) => keys(second.get(id)?.active ?? new Map()).includes(key)) ?? '';
      const copy = ['b', 'c'].find((id) => keys(first.get(id)?.standby ?? new Map()).includes(key)) ?? '';
      expect(heir === copy || isFull(copy)).toBe(true);
    }
    const heirs = ['b', 'c'].flatMap((id) => {
      const active = keys(second.get(id)?.active ?? new Map());
      return active.filter((key) => keys(first.get(id)?.standby ?? new Map()).includes(key));
    });
    expect(heirs.length).toBeGreaterThan(0);
  });

  it('assigns nothing to nobody', () => {
    const subtopologies = new Map([['0', { isStateful: true, numberOfTasks: 2 }]]);
    expect(assignSticky({ members: new Map(), subtopologies, numStandbyReplicas: 1 })).toEqual(new Map());
  });
});
