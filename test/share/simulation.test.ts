import { expect, test } from 'vitest';
import { ShareRecordsSimulation } from './simulation.ts';

const SEEDS = 40;

/** More of them: node scripts/simulate.ts share-records --seeds 10000 */
test(`every record of a share group is delivered, and none twice at a time, for ${SEEDS} seeds`, async () => {
  const count = { delivered: 0, confirmed: 0, kills: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const simulation = new ShareRecordsSimulation(seed);
    await simulation.run(20_000);
    expect(simulation.violations, `seed ${seed}`).toEqual([]);
    for (const key of Object.keys(count) as (keyof typeof count)[]) count[key] += simulation.count[key];
  }
  // It was worth it.
  expect(count.delivered).toBeGreaterThan(SEEDS * 50);
  expect(count.confirmed).toBeGreaterThan(SEEDS * 20);
  expect(count.kills).toBeGreaterThan(SEEDS / 2);
});
