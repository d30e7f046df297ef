import { describe, expect, test } from 'vitest';
import { type Disk, type Log, LogDir, MemoryDisk, type StorageLogger } from '../../storage/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { batch, TestClock, testConfig } from './batches.ts';

const FILE = '/data/t-0/leader-epoch-checkpoint';
const clock = new TestClock();

function open(disk: Disk, logger: StorageLogger): { dir: LogDir; log: Log } {
  const dir = LogDir.open({ disk, path: '/data', clock, unique: () => 'u', logger });
  return { dir, log: dir.openOrCreate('t', 0, 'aaaaaaaaaaaaaaaaaaaaaa', testConfig({ segmentBytes: 400 })) };
}

/** A log of several segments; some begin with the epoch that the one before ends with, and some epochs begin within one. */
function filled(disk: Disk): { dir: LogDir; log: Log } {
  const opened = open(disk, new CollectingLogger());
  for (const epoch of [1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 5, 9, 9, 9, 9, 9, 9]) opened.log.appendAsLeader(batch(2), epoch);
  expect(opened.log.segments.length).toBeGreaterThan(4);
  return opened;
}

const epochsOf = (log: Log) => [
  log.latestEpoch,
  Array.from({ length: log.logEndOffset }, (_, offset) => log.epochForOffset(offset)),
];

describe.each([
  ['an orderly end', (dir: LogDir) => dir.close()],
  ['a crash', async (dir: LogDir) => dir.abandon()],
])('leader epochs after %s', (_end, end) => {
  test.each(['garbage\n', '0\n7\n1 0\n', '0\n1\n1 x\n'])('are made anew where the file holds %j', async (content) => {
    const disk = new MemoryDisk();
    const first = filled(disk);
    const epochs = epochsOf(first.log);
    await first.log.flush();
    await first.dir.checkpoint();
    await end(first.dir);
    const written = disk.readFile(FILE)?.toString();
    disk.writeFile(FILE, content);

    const logger = new CollectingLogger();
    const second = open(disk, logger);
    expect(epochsOf(second.log)).toEqual(epochs);
    const [warning, ...others] = logger.lines.filter((line) => line.level === 'warn');
    expect([warning.fields, others]).toEqual([expect.objectContaining({ file: FILE }), []]);
    await second.dir.close();
    expect(disk.readFile(FILE)?.toString()).toBe(written);
  });
});

test('leader epochs that have been made anew are written even where there are none', async () => {
  const disk = new MemoryDisk();
  await open(disk, new CollectingLogger()).dir.close();
  disk.writeFile(FILE, 'garbage');
  const { dir, log } = open(disk, new CollectingLogger());
  expect(log.latestEpoch).toBe(-1);
  await dir.close();
  expect(disk.readFile(FILE)?.toString()).toBe('0\n0\n');
});
