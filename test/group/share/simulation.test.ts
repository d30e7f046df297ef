import { expect, it } from 'vitest';
import { ShareSimulation } from './simulation.ts';

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

it.each(SEEDS)('members of share groups and their coordinators keep their promises (seed %i)', async (seed) => {
  const simulation = new ShareSimulation(seed);
  await simulation.run(180_000);
  expect(simulation.violations).toEqual([]);
  // something must have happened for that to mean anything
  expect(simulation.count.told).toBeGreaterThan(30);
  expect(simulation.count.fenced).toBeGreaterThan(0);
  expect(simulation.count.failovers).toBeGreaterThan(3);
});
