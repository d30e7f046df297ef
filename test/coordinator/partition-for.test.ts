import { expect, it } from 'vitest';
import { partitionFor } from '../../src/coordinator/partition-for.ts';

it.each([
  ['', 0],
  ['a', 47],
  ['test-group', 12],
  // its Java hash is the smallest int, of which there is no absolute value
  ['polygenelubricants', 0],
  ['DESIGNING WORKHOUSES', 0],
  ['größe', 7],
])('finds the partition of %j among 50 as Kafka does', (id, partition) => {
  expect(partitionFor(id, 50)).toBe(partition);
});
