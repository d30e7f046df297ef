/** A crash between any two changes that a compaction makes to the disk leaves what was there before, or what comes after. */
import { expect, test } from 'vitest';
import type { Log, LogConfig } from '../../storage/index.ts';
import { checkIndexFiles, openLog } from './batches.ts';
import { compact, contentOf, type Entry, keyed, roll } from './compaction-helpers.ts';
import { CrashingDisk } from './crashing-disk.ts';

const CONFIG = { cleanupPolicy: { delete: false, compact: true }, indexIntervalBytes: 100 };

function filled(disk: CrashingDisk, config: Partial<LogConfig>, ownKey: (i: number) => string): Log {
  const log = openLog(disk, { config: { ...CONFIG, ...config } });
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 4; j++) {
      const records: Entry[] = [
        [`k${j}`, `${i}`],
        [ownKey(i), `${j}`],
      ];
      log.appendAsLeader(keyed(records), 0);
    }
    roll(log);
  }
  return log;
}

/** What a restart finds after a crash before each change in turn; the last one is what it finds without a crash. */
async function contentsAfterCrashes(
  config: Partial<LogConfig>,
  ownKey: (i: number) => string = (i) => `only-${i}`,
): Promise<string[][]> {
  const contents: string[][] = [];
  for (let changes = 0; ; changes++) {
    const disk = new CrashingDisk();
    const log = filled(disk, config, ownKey);
    await log.flush();
    const { recoveryPoint, logEndOffset } = log;
    disk.changesLeft = changes;
    const crashed = await compact(log, disk).then(
      () => false,
      () => true,
    );
    disk.changesLeft = Number.POSITIVE_INFINITY;
    log.abandon();
    const again = openLog(disk, { config: { ...CONFIG, ...config }, recoveryPoint });
    contents.push(contentOf(again));
    expect(again.logEndOffset).toBe(logEndOffset);
    expect(disk.list(again.dir).filter((name) => /cleaned|swap|deleted/.test(name))).toEqual([]);
    expect(again.appendAsLeader(keyed([['next', '1']]), 0).firstOffset).toBe(logEndOffset);
    again.close();
    checkIndexFiles(disk, again.dir);
    if (!crashed) return contents;
    expect(changes).toBeLessThan(500);
  }
}

test('one group of segments: all of the old records, or all of the new ones', async () => {
  const contents = await contentsAfterCrashes({});
  const before = contents[0].join();
  const after = contents[contents.length - 1].join();
  expect(contents.length).toBeGreaterThan(30);
  expect(before.length).toBeGreaterThan(2 * after.length);
  for (const content of contents) expect([before, after]).toContain(content.join());
});

test('several groups: every record that has to stay, none that was not there', async () => {
  const contents = await contentsAfterCrashes({ segmentBytes: 1300 });
  const before = new Set(contents[0]);
  const after = contents[contents.length - 1];
  expect(new Set(contents.map((content) => content.join())).size).toBeGreaterThan(2);
  for (const content of contents) {
    const found = new Set(content);
    expect(content.filter((record) => !before.has(record))).toEqual([]);
    expect(after.filter((record) => !found.has(record))).toEqual([]);
  }
});

test('segments of which nothing is left', async () => {
  const contents = await contentsAfterCrashes({ segmentBytes: 400 }, () => 'k0');
  const after = contents[contents.length - 1];
  expect(after.length).toBeLessThan(7);
  for (const content of contents) expect(content).toEqual(expect.arrayContaining(after));
});
