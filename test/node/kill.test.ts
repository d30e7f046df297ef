import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KillTest } from '../support/kill-test.ts';

const KILLS = 8;

/** More of them: npm run test:kill -- --kills 200 */
test(`nothing acknowledged is lost over ${KILLS} kills under load`, { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-kill-'));
  try {
    const result = await KillTest.run({ directory, kills: KILLS, seed: 1, verifyEvery: 4 });
    expect(result.acknowledgedRecords).toBeGreaterThan(100);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
