import { expect, test } from 'vitest';
import { SeededRandom } from '../support/seeded-random.ts';
import { CoordinatorSimulation } from './coordinator-simulation.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { StorageSimulation } from './storage-simulation.ts';
import { TransactionSimulation } from './transaction-simulation.ts';

const SEEDS = 150;

/** More of them: node scripts/simulate.ts storage --seeds 10000 */
test(`storage keeps its promises on a disk that fails, for ${SEEDS} seeds`, async () => {
  let vouchedStarts = 0;
  let checkedStarts = 0;
  const trace = (line: string): void => {
    if (line === 'restarted: killed, vouched for') vouchedStarts += 1;
    if (line === 'checked in advance') checkedStarts += 1;
  };
  for (let seed = 1; seed <= SEEDS; seed++) {
    await StorageSimulation.run(seed, trace).catch((cause: unknown) => {
      throw new Error(`seed ${seed}`, { cause });
    });
  }
  // After a kill headers are walked, if not always.
  expect(vouchedStarts).toBeGreaterThan(SEEDS);
  expect(checkedStarts).toBeGreaterThan(SEEDS / 2);
});

/** More of them: node scripts/simulate.ts coordinator --seeds 10000 */
test('a group finds the offsets that it has committed, for 60 seeds', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    await CoordinatorSimulation.run(seed).catch((cause: unknown) => {
      throw new Error(`seed ${seed}`, { cause });
    });
  }
});

/** More of them: node scripts/simulate.ts transaction --seeds 10000 */
test('a transaction is all or nothing, for 60 seeds', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    await TransactionSimulation.run(seed).catch((cause: unknown) => {
      throw new Error(`seed ${seed}`, { cause });
    });
  }
});

test('a seed gives the same run each time', async () => {
  const runs: string[][] = [[], []];
  for (const lines of runs) await StorageSimulation.run(7, (line) => lines.push(line));
  expect(runs[0]).toEqual(runs[1]);
  expect(runs[0].length).toBeGreaterThan(100);
});

/** What the first bytes of a file can be after a power cut, over many seeds. */
async function afterPowerCut(write: (disk: FaultyDisk) => void | Promise<void>): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const disk = new FaultyDisk(new SeededRandom(seed));
    disk.makeDir('/d');
    disk.syncDir('/');
    await write(disk);
    disk.powerCut();
    const bytes = disk.readFile('/d/f');
    const sectors = bytes === null ? 'no file' : bytes.toString('latin1').replace(/(.)\1*/gs, '$1');
    seen.add(sectors.replaceAll('\0', '0'));
  }
  return seen;
}

const twoSectors = Buffer.concat([Buffer.alloc(512, 'a'), Buffer.alloc(512, 'b')]);

test('the disk loses, keeps, tears and reorders what was not synced', async () => {
  const seen = await afterPowerCut((disk) => {
    disk.open('/d/f', 'create').writeSync(twoSectors, 0);
    disk.syncDir('/d');
  });
  for (const outcome of ['', 'ab', 'a', '0b', 'a0', '0']) expect(seen).toContain(outcome);
});

test('the disk keeps what was synced, and loses it with its name', async () => {
  const synced = (disk: FaultyDisk): void => {
    const file = disk.open('/d/f', 'create');
    file.writeSync(twoSectors, 0);
    file.syncSync();
  };
  expect(await afterPowerCut(synced)).toEqual(new Set(['no file', 'ab']));
  const withName = (disk: FaultyDisk): void => {
    synced(disk);
    disk.syncDir('/d');
  };
  expect(await afterPowerCut(withName)).toEqual(new Set(['ab']));
});

test('the disk forgets what a failed sync should have kept, and says so once', async () => {
  const seen = await afterPowerCut(async (disk) => {
    const file = disk.open('/d/f', 'create');
    disk.syncDir('/d');
    file.writeSync(twoSectors, 0);
    disk.failAfter.sync = 0;
    await expect(file.sync()).rejects.toThrow('sync failed');
    await file.sync();
  });
  expect(seen.size).toBeGreaterThan(1);
});

test('a killed process leaves the page cache, and its files are of no use', () => {
  const disk = new FaultyDisk(new SeededRandom(1));
  disk.makeDir('/d');
  const file = disk.open('/d/f', 'create');
  file.writeSync(twoSectors, 0);
  disk.kill();
  expect(() => file.sizeBytes()).toThrow('the process is gone');
  expect(disk.readFile('/d/f')?.equals(twoSectors)).toBe(true);
});
