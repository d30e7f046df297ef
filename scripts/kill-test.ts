/**
 * Kills a broker under load and checks that nothing acknowledged is lost (test/support/kill-test.ts):
 *
 *   node scripts/kill-test.ts [--kills 200] [--seed 1] [--port 0]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KillTest } from '../test/support/kill-test.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    port: { type: 'string', default: '0' },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'odradek-kill-'));
const begunMs = performance.now();
try {
  const options = { kills: Number(values.kills), seed: Number(values.seed), port: Number(values.port) };
  const result = await KillTest.run({ ...options, directory, report: console.log });
  const seconds = ((performance.now() - begunMs) / 1000).toFixed(0);
  console.log(
    `${result.kills} kills in ${seconds} s: ${result.acknowledgedRecords} acknowledged records, each there once at its offset; ` +
      `${result.resent} batches sent again; start-up ${result.startMsMedian.toFixed(0)} ms (median), ` +
      `${result.startMsMax.toFixed(0)} ms (longest)`,
  );
  rmSync(directory, { recursive: true });
} catch (error) {
  console.error(error);
  console.error(`the data is kept in ${directory}`);
  process.exitCode = 1;
}
