import { expect, it } from 'vitest';
import { StreamsSimulation } from './simulation.ts';

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

it.each(SEEDS)('members and coordinators of a streams group keep their promises (seed %i)', async (seed) => {
  const simulation = new StreamsSimulation(seed);
  await simulation.run(60_000);
  expect(simulation.violations).toEqual([]);
  // something must have happened for that to mean anything
  expect(simulation.count.epochs).toBeGreaterThan(500);
  expect(simulation.count.failovers).toBeGreaterThan(3);
});
