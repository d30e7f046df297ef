import { expect, test } from 'vitest';
import { MemoryDisk } from '../../storage/index.ts';
import { checkIndexFiles, openLog } from './batches.ts';
import { compact, contentOf, keyed, roll } from './compaction-helpers.ts';

const CONFIG = { cleanupPolicy: { delete: false, compact: true }, indexIntervalBytes: 100, deleteRetentionMs: 500 };

test('keeps the newest record of each key, at its offset', async () => {
  const disk = new MemoryDisk();
  const log = openLog(disk, { config: CONFIG });
  log.appendAsLeader(keyed([['a', '1'], ['b', '1'], ['a', '2']]), 0);
  log.appendAsLeader(keyed([['b', '2'], ['c', '1']]), 0);
  roll(log);
  log.appendAsLeader(keyed([['a', '3']]), 0);
  const result = await compact(log, disk);
  expect(contentOf(log)).toEqual(['2:a=2', '3:b=2', '4:c=1', '5:roll=x', '6:a=3']);
  expect(result).toMatchObject({ endOffset: 5, recordsRead: 5, recordsKept: 3, keys: 3 });
  log.close();
  checkIndexFiles(disk, log.dir);
});
