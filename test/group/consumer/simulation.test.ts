import { expect, it } from 'vitest';
import { ConsumerSimulation } from './simulation.ts';

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

it.each(SEEDS)('members and coordinators keep their promises (seed %i)', async (seed) => {
  const simulation = new ConsumerSimulation(seed);
  await simulation.run(60_000);
  expect(simulation.violations).toEqual([]);
  // something must have happened for that to mean anything
  expect(simulation.count.assigned).toBeGreaterThan(20);
  expect(simulation.count.committed).toBeGreaterThan(50);
  expect(simulation.count.failovers).toBeGreaterThan(3);
});
