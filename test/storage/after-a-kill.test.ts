/** What a start looks at after the process was killed (docs/decisions/0007-after-a-kill.md). A flipped bit shows whether a CRC was computed. */
import { describe, expect, test } from 'vitest';
import { type Log, LogDir } from '../../storage/index.ts';
import { FaultyDisk } from '../sim/faulty-disk.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { batch, checkIndexFiles, marker, produced, readAll, TestClock, testConfig } from './batches.ts';

const ID = 'aaaaaaaaaaaaaaaaaaaaaa';
const FIRST_LOG = '/data/t-0/00000000000000000000.log';
const SIZE = batch(1).length;

const newDisk = (): FaultyDisk => new FaultyDisk(new SeededRandom(1));

function openDir(disk: FaultyDisk): LogDir {
  return LogDir.open({ disk, path: '/data', clock: new TestClock(), unique: () => 'u' });
}

function openLog(dir: LogDir, topic = 't', segmentBytes = 100_000): Log {
  return dir.openOrCreate(topic, 0, ID, testConfig({ segmentBytes, indexIntervalBytes: 200 }));
}

function appendTo(log: Log, count: number): void {
  for (let i = 0; i < count; i++) log.appendAsLeader(batch(1), 1);
}

/** A process that has written `count` batches to t-0 and was killed. */
function killedDisk(count: number): FaultyDisk {
  const disk = newDisk();
  appendTo(openLog(openDir(disk)), count);
  disk.kill();
  return disk;
}

/** In the value of the record in batch `index`. */
const flipValue = (disk: FaultyDisk, index: number): void => disk.flipBit(FIRST_LOG, (index * SIZE + SIZE - 4) * 8);
const flipMagic = (disk: FaultyDisk, index: number): void => disk.flipBit(FIRST_LOG, (index * SIZE + 16) * 8);

const endOf = (disk: FaultyDisk): number => openLog(openDir(disk)).logEndOffset;

describe('after a kill', () => {
  test('headers are walked, and the CRC of the last batch is looked at', () => {
    const middle = killedDisk(10);
    flipValue(middle, 4);
    expect(endOf(middle)).toBe(10);
    const last = killedDisk(10);
    flipValue(last, 9);
    expect(endOf(last)).toBe(9);
  });

  test('all is checked where a header is odd or the last write was cut short', () => {
    const odd = killedDisk(10);
    flipValue(odd, 4);
    flipMagic(odd, 7);
    expect(endOf(odd)).toBe(4);
    const torn = killedDisk(10);
    flipValue(torn, 4);
    torn.open(FIRST_LOG, 'existing').truncateSync(10 * SIZE - 1);
    expect(endOf(torn)).toBe(4);
  });

  test('the recovery point stays where it was', async () => {
    const disk = newDisk();
    const dir = openDir(disk);
    const log = openLog(dir);
    appendTo(log, 3);
    await log.flush();
    await dir.checkpoint();
    appendTo(log, 3);
    disk.kill();
    const again = openLog(openDir(disk));
    expect([again.logEndOffset, again.recoveryPoint]).toEqual([6, 3]);
    await again.flush();
    expect(again.recoveryPoint).toBe(6);
  });

  test('a second kill is no other, though nothing was opened', () => {
    const disk = killedDisk(10);
    openDir(disk);
    disk.kill();
    flipValue(disk, 4);
    expect(endOf(disk)).toBe(10);
  });

  test('what a power cut may have left is checked, however often a start is killed before it is', () => {
    const disk = newDisk();
    const dir = openDir(disk);
    const log = openLog(dir);
    appendTo(log, 10);
    appendTo(openLog(dir, 'other'), 3);
    log.flushSync();
    disk.powerCut();
    flipValue(disk, 4);
    for (let starts = 0; starts < 2; starts++) {
      openLog(openDir(disk), 'other');
      disk.kill();
    }
    expect(endOf(disk)).toBe(4);
  });

  test('of a process that has checked all after a power cut, only headers are walked', () => {
    const disk = newDisk();
    const log = openLog(openDir(disk));
    appendTo(log, 10);
    log.flushSync();
    disk.powerCut();
    expect(endOf(disk)).toBe(10);
    disk.kill();
    flipValue(disk, 4);
    expect(endOf(disk)).toBe(10);
  });

  test('of a process that had an orderly start, only headers are walked', async () => {
    const disk = newDisk();
    const first = openDir(disk);
    appendTo(openLog(first), 3);
    await first.close();
    const second = openDir(disk);
    expect(second.wasClean).toBe(true);
    appendTo(openLog(second), 7);
    disk.kill();
    flipValue(disk, 5);
    expect(endOf(disk)).toBe(10);
  });

  test('all is checked where the disk has failed before', async () => {
    for (const kind of ['write', 'sync'] as const) {
      const disk = newDisk();
      const dir = openDir(disk);
      const log = openLog(dir);
      appendTo(log, 10);
      disk.failAfter[kind] = 0;
      if (kind === 'write') expect(() => appendTo(log, 1)).toThrow('write failed');
      else await expect(log.flush()).rejects.toThrow('sync failed');
      disk.kill();
      flipValue(disk, 4);
      expect(endOf(disk)).toBe(4);
    }
  });

  test('a log that was closed without an orderly end of the process is checked', () => {
    const disk = newDisk();
    const dir = openDir(disk);
    appendTo(openLog(dir), 10);
    dir.abandon();
    disk.kill();
    flipValue(disk, 4);
    expect(endOf(disk)).toBe(4);
  });
});

/** What can be asked of a log, and what its files hold. */
function everythingOf(disk: FaultyDisk): unknown {
  const log = openLog(openDir(disk), 't', 700);
  const files = disk.list('/data/t-0').map((name) => [name, disk.readFile(`/data/t-0/${name}`)?.toString('hex')]);
  const { logEndOffset, recoveryPoint, latestEpoch, firstUnstableOffset } = log;
  return {
    ...{ logEndOffset, recoveryPoint, latestEpoch, firstUnstableOffset },
    segments: log.segments.map(({ baseOffset, maxTimestamp, sizeBytes }) => [baseOffset, maxTimestamp, sizeBytes]),
    producers: log.producers(),
    aborted: log.abortedTransactions(0, log.logEndOffset),
    epochs: Array.from({ length: log.logEndOffset }, (_, offset) => log.epochForOffset(offset)),
    records: readAll(log).toString('hex'),
    files,
  };
}

test('walking headers makes the same of a log as checking all', () => {
  const disk = newDisk();
  const log = openLog(openDir(disk), 't', 700);
  for (let i = 0; i < 12; i++) {
    log.appendAsLeader(produced(1, i), i < 6 ? 1 : 2);
    log.appendAsLeader(produced(2, 2 * i, { count: 2, transactional: true }), i < 6 ? 1 : 2);
    log.appendAsLeader(batch(1, { valueBytes: 20 * i, timestamp: 5_000 - i }), i < 6 ? 1 : 2);
    if (i % 3 === 1) log.appendAsLeader(marker(2, i % 2 === 0), i < 6 ? 1 : 2, 'coordinator');
  }
  disk.kill();
  const walked = everythingOf(disk);
  disk.kill();
  const dir = openDir(disk);
  dir.abandon();
  disk.kill();
  expect(everythingOf(disk)).toEqual(walked);
  checkIndexFiles(disk, '/data/t-0');
});
