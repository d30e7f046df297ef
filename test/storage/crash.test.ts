/** A crash between any two changes to the disk: what is found afterwards has no gap and nothing that was gone before. */
import { expect, test } from 'vitest';
import { DiskError, type Log, LogResources } from '../../storage/index.ts';
import { FaultyDisk } from '../sim/faulty-disk.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { batch, framesOf, openLog, produced, readAll } from './batches.ts';
import { CrashingDisk } from './crashing-disk.ts';

const CONFIG = { segmentBytes: 340, indexIntervalBytes: 100, retentionMs: -1 };
const COUNT = 20;

function filled(disk: CrashingDisk): Log {
  const log = openLog(disk, { config: CONFIG });
  for (let i = 0; i < COUNT; i++) log.appendAsLeader(produced(1, i), 0);
  expect(log.segments.length).toBe(5);
  return log;
}

const offsetsOf = (log: Log): number[] => {
  const bytes = readAll(log);
  const size = produced(1, 0).length;
  return Array.from({ length: bytes.length / size }, (_, i) => Number(bytes.readBigInt64BE(i * size)));
};

/** Lets `action` die before each of its changes in turn, and shows what a restart finds to `check`. */
function crashEverywhere(
  action: (log: Log, disk: CrashingDisk) => void,
  check: (offsets: number[], log: Log) => void,
): void {
  for (let changes = 0; ; changes++) {
    const disk = new CrashingDisk();
    const log = filled(disk);
    disk.changesLeft = changes;
    let crashed = false;
    try {
      action(log, disk);
    } catch {
      crashed = true;
    }
    disk.changesLeft = Number.POSITIVE_INFINITY;
    log.abandon();
    const again = openLog(disk, { config: CONFIG });
    const offsets = offsetsOf(again);
    offsets.forEach((offset, i) => {
      expect(offset).toBe(offsets[0] + i);
    });
    check(offsets, again);
    const next = again.logEndOffset;
    expect(again.appendAsLeader(batch(1), 1).firstOffset).toBe(next);
    if (!crashed) return;
    expect(changes).toBeLessThan(500);
  }
}

test('in a truncation keeps a beginning of the log, and all that was to stay', () => {
  crashEverywhere(
    (log) => void log.truncateTo(5),
    (offsets) => {
      expect(offsets[0]).toBe(0);
      expect(offsets.length).toBeGreaterThanOrEqual(5);
    },
  );
});

test('in a deletion of old segments keeps an end of the log, and all that was to stay', () => {
  crashEverywhere(
    (log) => {
      log.updateConfig({ ...log.config, retentionBytes: 500 });
      log.deleteOldSegments(0, COUNT);
    },
    (offsets) => expect(offsets.at(-1)).toBe(COUNT - 1),
  );
});

test('in a deletion of everything keeps the log end', () => {
  crashEverywhere(
    (log) => {
      log.updateConfig({ ...log.config, retentionBytes: 0 });
      log.deleteOldSegments(0, COUNT);
    },
    (_offsets, log) => expect(log.logEndOffset).toBe(COUNT),
  );
});

test('in an append keeps what was acknowledged, and producers know it', () => {
  let acknowledged = COUNT;
  crashEverywhere(
    (log) => {
      acknowledged = COUNT;
      for (let i = COUNT; i < COUNT + 8; i++) {
        log.appendAsLeader(produced(1, i), 0);
        acknowledged = i + 1;
      }
    },
    (offsets, log) => {
      expect([offsets[0], offsets.length >= acknowledged]).toEqual([0, true]);
      expect(log.producers()[0].lastSequence).toBe(offsets.length - 1);
    },
  );
});

test('in an orderly end loses nothing', () => {
  crashEverywhere(
    (log) => log.close(),
    (offsets) => expect(offsets.length).toBe(COUNT),
  );
});

test('in a recovery that cuts a damaged segment keeps to what lies before the damage', () => {
  crashEverywhere(
    (log, disk) => {
      const damaged = log.segments[2];
      log.abandon();
      const before = disk.changesLeft;
      disk.changesLeft = Number.POSITIVE_INFINITY;
      disk.open(damaged.log.path, 'existing').writeSync(Buffer.from('damage'), 70);
      disk.changesLeft = before;
      openLog(disk, { config: CONFIG });
    },
    (offsets, log) => {
      expect(offsets[0]).toBe(0);
      expect(log.logEndOffset).toBe(offsets.length);
      expect(offsets.length).toBeLessThan(10);
    },
  );
});

test('a flush of a log that was given up keeps its hands off the files of the log that was opened in its place', async () => {
  const disk = new CrashingDisk();
  const log = openLog(disk, { config: CONFIG });
  log.appendAsLeader(batch(), 1);
  const flush = log.flush();
  log.abandon();
  const again = openLog(disk, { config: CONFIG });
  again.assignEpoch(2);
  again.appendAsLeader(batch(), 2);
  await Promise.all([flush, again.flush()]);
  again.close();
  expect(disk.readFile('/data/t-0/leader-epoch-checkpoint')?.toString()).toBe('0\n2\n1 0\n2 1\n');
});

test('a power cut does not bring back what was cut off in the middle of a batch', () => {
  for (let seed = 0; seed < 30; seed++) {
    const disk = new FaultyDisk(new SeededRandom(seed));
    disk.makeDir('/data');
    disk.syncDir('/');
    const log = openLog(disk, { config: CONFIG });
    for (let i = 0; i < 3; i++) log.appendAsLeader(batch(2), 0);
    log.flushSync();
    log.truncateTo(3);
    const { recoveryPoint } = log;
    disk.powerCut();
    const again = openLog(disk, { config: CONFIG, recoveryPoint });
    expect(again.logEndOffset).toBe(3);
    expect(framesOf(readAll(again)).map(({ base }) => base)).toEqual([0]);
  }
});

test('a log whose finished indexes could not be made durable has failed: tried again, the sync would tell nothing', () => {
  const disk = new FaultyDisk(new SeededRandom(1));
  const log = openLog(disk, { config: CONFIG });
  log.appendAsLeader(batch(), 0);
  log.flushSync();
  log.updateConfig({ ...log.config, segmentBytes: log.sizeBytes });
  disk.failAfter.sync = 1;
  expect(() => log.appendAsLeader(batch(), 0)).toThrow('sync failed');
  expect(log.failure).not.toBeNull();
  expect(() => log.appendAsLeader(batch(), 0)).toThrow('sync failed');
});

test('a flush of which one file cannot be synced and the next one not be opened fails once, and quietly', async () => {
  const disk = new FaultyDisk(new SeededRandom(1));
  const before = openLog(disk, { config: CONFIG });
  while (before.segments.length < 3) before.appendAsLeader(batch(), 0);
  await before.flush();
  before.close();
  // After a recovery all of it is to be flushed.
  const log = openLog(disk, { config: CONFIG, resources: new LogResources(disk, { maxOpenFiles: 1 }) });
  const open = disk.open.bind(disk);
  let left = 1;
  disk.open = (path, mode) => {
    if (--left < 0) throw new DiskError('IO', path, 'EMFILE');
    return open(path, mode);
  };
  disk.failAfter.sync = 0;
  await expect(log.flush()).rejects.toThrow('failed');
  // An error that nobody waits for would end the process, and this test with it.
  await new Promise((resolve) => setImmediate(resolve));
});

test('a power cut does not take what a snapshot says of producers whose records are deleted', async () => {
  for (let seed = 0; seed < 30; seed++) {
    for (const flush of [(log: Log) => log.flush(), (log: Log) => log.flushSync()]) {
      const disk = new FaultyDisk(new SeededRandom(seed));
      disk.makeDir('/data');
      disk.syncDir('/');
      const log = openLog(disk, { config: CONFIG });
      for (let i = 0; i < 4; i++) log.appendAsLeader(produced(1, i), 0);
      while (log.segments.length < 3) log.appendAsLeader(batch(), 0);
      log.advanceLogStartOffset(log.segments[1].baseOffset);
      expect(log.deleteOldSegments(0, log.logEndOffset)).toBe(1);
      await flush(log);
      // Recovered from the snapshot of any segment that the recovery point may be in.
      const recoveryPoint = log.segments[seed % 2].baseOffset;
      const { logStartOffset } = log;
      disk.powerCut();
      const again = openLog(disk, { config: CONFIG, recoveryPoint, logStartOffset });
      expect(again.producers().map(({ lastSequence }) => lastSequence)).toEqual([3]);
    }
  }
});

test('segments whose successors nobody has flushed yet leave the producers behind when they are deleted', () => {
  for (let seed = 0; seed < 300; seed++) {
    const count = 1 + (seed % 2);
    const disk = new FaultyDisk(new SeededRandom(seed));
    disk.makeDir('/data');
    disk.syncDir('/');
    disk.poolRuns = false;
    const log = openLog(disk, { config: CONFIG });
    log.appendAsLeader(produced(1, 0), 0);
    log.flushSync();
    const recoveryPoint = log.logEndOffset;
    while (log.segments.length <= count) log.appendAsLeader(batch(), 0);
    log.advanceLogStartOffset(log.segments[count].baseOffset);
    expect(log.deleteOldSegments(0, log.logEndOffset)).toBe(count);
    expect(log.recoveryPoint).toBe(recoveryPoint);
    // The deletion gets there, or any part of it; what was to be flushed need not.
    if (seed % 4 < 2) disk.syncDir('/data/t-0');
    disk.powerCut();
    const again = openLog(disk, { config: CONFIG, recoveryPoint });
    expect(again.producers().map(({ lastSequence }) => lastSequence)).toEqual([0]);
  }
});

test('a segment that begins where a truncation has cut into a batch has a snapshot like any other', () => {
  const disk = new FaultyDisk(new SeededRandom(1));
  const log = openLog(disk, { config: CONFIG });
  log.appendAsLeader(produced(1, 0), 0);
  log.appendAsLeader(batch(2), 0);
  log.truncateTo(2);
  expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 2]);
  log.advanceLogStartOffset(2);
  expect(log.deleteOldSegments(0, log.logEndOffset)).toBe(1);
  disk.kill();
  const again = openLog(disk, { config: CONFIG, recoveryPoint: 2, logStartOffset: 2 });
  expect(again.producers().map(({ lastSequence }) => lastSequence)).toEqual([0]);
});

test('a start after a kill writes the snapshot anew from which it was to go on, where it is missing', () => {
  const disk = new FaultyDisk(new SeededRandom(1));
  const log = openLog(disk, { config: CONFIG });
  log.appendAsLeader(produced(1, 0), 0);
  while (log.segments.length < 2) log.appendAsLeader(batch(), 0);
  log.flushSync();
  const [recoveryPoint, logStartOffset] = [log.recoveryPoint, log.segments[1].baseOffset];
  log.abandon();
  disk.remove(`/data/t-0/${String(logStartOffset).padStart(20, '0')}.snapshot`);
  disk.kill();
  const second = openLog(disk, { config: CONFIG, recoveryPoint });
  second.advanceLogStartOffset(logStartOffset);
  expect(second.deleteOldSegments(0, second.logEndOffset)).toBe(1);
  disk.kill();
  const third = openLog(disk, { config: CONFIG, recoveryPoint, logStartOffset });
  expect(third.producers().map(({ lastSequence }) => lastSequence)).toEqual([0]);
});

test('a start after a kill leaves snapshots to the next flush that the killed process had not come to sync', () => {
  for (let seed = 0; seed < 30; seed++) {
    const disk = new FaultyDisk(new SeededRandom(seed));
    disk.makeDir('/data');
    disk.syncDir('/');
    disk.poolRuns = false;
    const log = openLog(disk, { config: CONFIG });
    for (let i = 0; i < 4; i++) log.appendAsLeader(produced(1, i), 0);
    while (log.segments.length < 3) log.appendAsLeader(batch(), 0);
    disk.kill();
    const second = openLog(disk, { config: CONFIG, vouched: true });
    second.advanceLogStartOffset(second.segments[1].baseOffset);
    expect(second.deleteOldSegments(0, second.logEndOffset)).toBe(1);
    second.flushSync();
    const { logStartOffset } = second;
    disk.powerCut();
    const third = openLog(disk, { config: CONFIG, recoveryPoint: logStartOffset, logStartOffset });
    expect(third.producers().map(({ lastSequence }) => lastSequence)).toEqual([3]);
  }
});

test('a snapshot that is written where the recovery point has got already is durable at once', () => {
  for (let seed = 0; seed < 30; seed++) {
    const disk = new FaultyDisk(new SeededRandom(seed));
    disk.makeDir('/data');
    disk.syncDir('/');
    const log = openLog(disk, { config: CONFIG });
    log.appendAsLeader(produced(1, 0), 0);
    log.flushSync();
    // Nothing is deleted but all: the log rolls at its end.
    log.advanceLogStartOffset(1);
    log.updateConfig({ ...log.config, retentionBytes: 0 });
    expect(log.deleteOldSegments(0, 1)).toBe(1);
    disk.syncDir('/data/t-0');
    disk.powerCut();
    const again = openLog(disk, { config: CONFIG, recoveryPoint: 1, logStartOffset: 1 });
    expect(again.producers().map(({ lastSequence }) => lastSequence)).toEqual([0]);
  }
});
