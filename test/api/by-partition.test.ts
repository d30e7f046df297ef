import { expect, it } from 'vitest';
import { ByPartition } from '../../src/api/by-partition.ts';

it('keeps what is said last of a partition, in the place where it was named first', () => {
  const said = new ByPartition<string>();
  said.set('t', 1, 'a');
  said.set('u', 0, 'b');
  said.set('t', 0, 'c');
  said.set('t', 1, 'd');
  const told = [...said.topics].map(([topic, partitions]) => [topic, [...partitions]]);
  expect(told).toEqual([
    [
      't',
      [
        [1, 'd'],
        [0, 'c'],
      ],
    ],
    ['u', [[0, 'b']]],
  ]);
  expect([said.get('t', 1), said.get('t', 2), said.get('v', 0)]).toEqual(['d', undefined, undefined]);
});
