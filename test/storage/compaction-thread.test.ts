/** Compactions in a thread of their own, of real files: as those in the thread of the broker, and ended when they are not wanted. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CompressionType } from '../../protocol/records/batch.ts';
import { type CompactionOptions, type CompactionResult, compactLog } from '../../storage/compaction/compact.ts';
import { CompactionWork } from '../../storage/compaction/work.ts';
import { CompactionAborted } from '../../storage/compaction/worker.ts';
import { DiskError, type Log, LogError, NodeDisk, startCompactionThread } from '../../storage/index.ts';
import { checkIndexFiles, marker, openLog, produced } from './batches.ts';
import { contentOf, eagerPacer, keyed, roll, SECRET } from './compaction-helpers.ts';

const disk = new NodeDisk();
let root: string;
const logs: Log[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'odradek-compaction-thread-'));
});
afterEach(() => {
  for (const log of logs.splice(0)) log.close();
  rmSync(root, { recursive: true });
});

/** Keys in every codec, tombstones, a transaction of each kind and several segments. */
function filledLog(name: string): Log {
  const config = { cleanupPolicy: { delete: false, compact: true }, indexIntervalBytes: 200, deleteRetentionMs: 500 };
  const log = openLog(disk, { dir: join(root, `${name}-0`), topic: name, config });
  logs.push(log);
  for (let round = 0; round < 5; round++) {
    for (const compression of Object.values(CompressionType)) {
      const entries = Array.from({ length: 20 }, (_, i) => {
        const key = `k${(i * (round + 3)) % 37}`;
        return [key, i % 7 === 0 ? null : `${round}-${i}-${compression}`] as const;
      });
      log.appendAsLeader(keyed(entries, { compression }), 0);
    }
    for (const producerId of [7, 8]) {
      log.appendAsLeader(produced(producerId, round, { transactional: true }), 0);
      log.appendAsLeader(marker(producerId, producerId === 7), 0);
    }
    roll(log);
  }
  return log;
}

function compact(log: Log, options: Partial<CompactionOptions> = {}): Promise<CompactionResult> {
  return compactLog({
    log,
    firstDirtyOffset: 0,
    firstUncleanableOffset: log.segments[log.segments.length - 1].baseOffset,
    nowMs: 10_000,
    mapBytes: 24_000,
    mapLoadFactor: 0.9,
    windowBytes: 1000,
    secret: SECRET,
    startWorker: startCompactionThread,
    maxBytesPerSecond: () => Number.MAX_VALUE,
    checkpointRecoveryPoint: async () => {},
    isStopped: () => false,
    ...options,
  });
}

const leftOver = (log: Log): string[] => readdirSync(log.dir).filter((name) => /cleaned|swap/.test(name));

test('leaves what a compaction in the same thread leaves', async () => {
  const [here, there] = [filledLog('here'), filledLog('there')];
  const inThisThread = await compact(here, {
    startWorker: (settings, control) => new CompactionWork(disk, settings, control, eagerPacer()),
  });
  expect(await compact(there)).toEqual(inThisThread);
  expect(contentOf(there)).toEqual(contentOf(here));
  expect(contentOf(there).length).toBeLessThan(100);
  expect(there.sizeBytes).toBe(here.sizeBytes);
  expect(leftOver(there)).toEqual([]);
  there.close();
  checkIndexFiles(disk, there.dir);
});

test('keeps to the rate, which may change meanwhile', async () => {
  const log = filledLog('t');
  let asked = 0;
  // At first it would take hours.
  const maxBytesPerSecond = (): number => (asked++ < 3 ? 1 : Number.MAX_VALUE);
  const { keys } = await compact(log, { maxBytesPerSecond });
  expect(keys).toBeGreaterThan(0);
  expect(asked).toBeGreaterThanOrEqual(4);
});

test('is given up soon when the log is closed or truncated under it, or the broker stops', async () => {
  let stopped = false;
  const changes: ((log: Log) => void)[] = [
    (log) => log.truncateTo(30),
    (log) => log.close(),
    () => {
      stopped = true;
    },
  ];
  for (const [i, change] of changes.entries()) {
    const log = filledLog(`t${i}`);
    const compaction = compact(log, { maxBytesPerSecond: () => 1, isStopped: () => stopped });
    setTimeout(() => change(log), 100);
    await expect(compaction).rejects.toThrow(CompactionAborted);
    expect(leftOver(log)).toEqual([]);
  }
});

test('says what is wrong, as in the same thread: damage, the disk, no memory', async () => {
  const damaged = filledLog('damaged');
  damaged.segments[1].log.handle.writeSync(Buffer.from([1]), 20);
  const damage = await compact(damaged).catch((error) => error);
  expect(damage).toBeInstanceOf(LogError);
  expect([damage.code, damage.message]).toEqual(['CORRUPT_MESSAGE', expect.stringContaining('bad CRC at offset')]);

  const missing = filledLog('missing');
  const { path } = missing.segments[2].log;
  const lost = compact(missing, { checkpointRecoveryPoint: async () => rmSync(path) });
  const loss = await lost.catch((error) => error);
  expect(loss).toBeInstanceOf(DiskError);
  expect([loss.code, loss.path]).toEqual(['NOT_FOUND', path]);

  const huge = filledLog('huge');
  await expect(compact(huge, { mapBytes: 2 ** 53, mapLoadFactor: 1e-12 })).rejects.toThrow(/allocation|length/);
});
