import { expect, test } from 'vitest';
import { CLEANER_CHECKPOINT } from '../../storage/checkpoints.ts';
import { type Candidate, cleanableSection, isDue } from '../../storage/cleanable.ts';
import { LogCleaner } from '../../storage/cleaner.ts';
import { CompactionWork } from '../../storage/compaction/work.ts';
import type { StartWorker } from '../../storage/compaction/worker.ts';
import { DiskError, type Log, type LogConfig, LogDir, MemoryDisk } from '../../storage/index.ts';
import { framesOf, marker, openLog, produced, readAll, TestClock, TOPIC_ID, testConfig } from './batches.ts';
import { contentOf, eagerPacer, keyed, roll, SECRET } from './compaction-helpers.ts';

const CONFIG: Partial<LogConfig> = { cleanupPolicy: { delete: false, compact: true }, minCleanableDirtyRatio: 0.5 };

function logOf(config: Partial<LogConfig> = {}, disk = new MemoryDisk(), name = 't-0'): Log {
  return openLog(disk, { config: { ...CONFIG, ...config }, dir: `/data/${name}`, topic: name });
}

/** A segment of `count` records of one key. */
function fill(log: Log, count: number, key = 'k', timestamp = 1000): void {
  for (let i = 0; i < count; i++) log.appendAsLeader(keyed([[key, `${log.logEndOffset}`]], { timestamp }), 0);
  roll(log);
}

const candidate = (log: Log): Candidate => ({
  log,
  lastStableOffset: log.firstUnstableOffset ?? log.logEndOffset,
  highWatermark: log.logEndOffset,
});

class Lines {
  readonly lines: string[] = [];
  readonly debug = (_fields: object, message: string): void => void this.lines.push(`debug ${message}`);
  readonly info = (_fields: object, message: string): void => void this.lines.push(`info ${message}`);
  readonly warn = (_fields: object, message: string): void => void this.lines.push(`warn ${message}`);
  readonly error = (_fields: object, message: string): void => void this.lines.push(`error ${message}`);
}

function cleanerOf(
  logs: Log[],
  disk: MemoryDisk,
  cleaned: string[] = [],
  dir: LogDir | null = null,
  startThread: StartWorker | null = null,
) {
  const logger = new Lines();
  const diskErrors: string[] = [];
  const cleaner = new LogCleaner({
    disk,
    clock: new TestClock(),
    ports: { monotonicMs: () => 0, yieldLoop: async () => {}, sleep: async () => {} },
    secret: SECRET,
    startThread,
    logger,
    config: () => ({
      dedupeBufferBytes: 24_000,
      dedupeBufferLoadFactor: 0.9,
      ioBufferBytes: 8192,
      maxBytesPerSecond: Number.MAX_VALUE,
    }),
    candidates: () => logs.map(candidate),
    checkpointRecoveryPoint: async () => dir?.checkpointRecoveryPoints(true),
    onCleaned: async (log) => void cleaned.push(log.topic),
    onDiskError: (log, { code }) => void diskErrors.push(`${log.topic} ${code}`),
  });
  return { cleaner, logger, diskErrors };
}

test('what is dirty: from the checkpoint to the active segment', () => {
  const log = logOf();
  expect(cleanableSection(candidate(log), 0)).toBeNull();
  fill(log, 4);
  expect(cleanableSection(candidate(log), 0)).toMatchObject({
    firstDirtyOffset: 0,
    firstUncleanableOffset: 4,
    dirtyRatio: 1,
    isOverdue: false,
  });
  log.cleanedUpTo = 4;
  expect(cleanableSection(candidate(log), 0)).toBeNull();
  fill(log, 11);
  const section = cleanableSection(candidate(log), 0);
  expect(section).toMatchObject({ firstDirtyOffset: 4, firstUncleanableOffset: 16 });
  expect(section?.dirtyRatio).toBeCloseTo(12 / 16, 1);
});

test('a checkpoint that the log has lost at either end counts as none', () => {
  const log = logOf();
  fill(log, 4);
  log.cleanedUpTo = 100;
  expect(cleanableSection(candidate(log), 0)?.firstDirtyOffset).toBe(0);
  log.advanceLogStartOffset(2);
  log.cleanedUpTo = 1;
  expect(cleanableSection(candidate(log), 0)?.firstDirtyOffset).toBe(2);
});

test('nothing is compacted from the segment of an open transaction on', () => {
  const log = logOf();
  fill(log, 4);
  log.appendAsLeader(produced(7, 0, { transactional: true }), 0);
  fill(log, 3);
  fill(log, 3);
  expect(log.firstUnstableOffset).toBe(5);
  expect(cleanableSection(candidate(log), 0)?.firstUncleanableOffset).toBe(4);
});

test('min.compaction.lag.ms keeps young segments out', () => {
  const log = logOf({ minCompactionLagMs: 1000 });
  fill(log, 4, 'k', 1000);
  fill(log, 4, 'k', 5000);
  fill(log, 4, 'k', 9000);
  const upTo = (nowMs: number) => cleanableSection(candidate(log), nowMs)?.firstUncleanableOffset;
  expect([1500, 2100, 6500, 20_000].map(upTo)).toEqual([undefined, 4, 9, 14]);
});

test('max.compaction.lag.ms makes a compaction due whatever the ratio, and rolls', () => {
  const log = logOf({ maxCompactionLagMs: 1000, minCleanableDirtyRatio: 1 });
  fill(log, 4, 'k', 1000);
  const isDueAt = (nowMs: number): boolean => {
    const section = cleanableSection(candidate(log), nowMs);
    return section !== null && isDue(section, log);
  };
  expect([isDueAt(1999), isDueAt(2001)]).toEqual([false, true]);
  const segments = log.segments.length;
  log.appendAsLeader(keyed([['k', 'v']], { timestamp: 3000 }), 0);
  expect(log.segments.length).toBe(segments + 1);
  log.updateConfig({ ...log.config, cleanupPolicy: { delete: true, compact: false } });
  log.appendAsLeader(keyed([['k', 'v']], { timestamp: 9000 }), 0);
  expect(log.segments.length).toBe(segments + 1);
});

test('a log that is being copied is left alone, also by a compaction that has begun', async () => {
  const disk = new MemoryDisk();
  const log = logOf({}, disk);
  fill(log, 20);
  const { cleaner, logger } = cleanerOf([log], disk);
  log.isCleaningPaused = true;
  await cleaner.run();
  expect([log.cleanedUpTo, logger.lines]).toEqual([null, []]);
  log.isCleaningPaused = false;
  const running = cleaner.run();
  log.isCleaningPaused = true;
  await running;
  expect(log.cleanedUpTo).toBeNull();
  expect(logger.lines).toEqual(['debug compaction given up: the log has changed, moves or closes']);
  expect(log.segments[0].baseOffset + log.segments.length).toBe(2);
  log.isCleaningPaused = false;
  await cleaner.run();
  expect(log.cleanedUpTo).toBe(20);
});

test('the dirtiest log comes first; one below its ratio does not come', async () => {
  const disk = new MemoryDisk();
  const logs = ['half', 'all', 'little'].map((name) => logOf({}, disk, name));
  for (const log of logs) fill(log, 20);
  logs[0].cleanedUpTo = 5;
  logs[1].cleanedUpTo = 0;
  fill(logs[2], 20);
  logs[2].cleanedUpTo = 20;
  logs[2].updateConfig({ ...logs[2].config, minCleanableDirtyRatio: 0.9 });
  // Dirty segments count as a whole, so the ratio of the first is made with another segment before it.
  fill(logs[0], 20);
  logs[0].cleanedUpTo = 20;
  logs[0].updateConfig({ ...logs[0].config, minCleanableDirtyRatio: 0.4 });
  const cleaned: string[] = [];
  await cleanerOf(logs, disk, cleaned).cleaner.run();
  expect(cleaned).toEqual(['all', 'half']);
  expect(logs.map(({ cleanedUpTo }) => cleanedUpTo)).toEqual([41, 20, 20]);
});

test('a log that cannot be compacted is left alone; others and appends go on', async () => {
  const disk = new MemoryDisk();
  const [bad, good] = ['bad', 'good'].map((name) => logOf({}, disk, name));
  for (const log of [bad, good]) fill(log, 10);
  disk.open(bad.segments[0].log.path, 'existing').writeSync(Buffer.from('?'), 68);
  const cleaned: string[] = [];
  const { cleaner, logger } = cleanerOf([bad, good], disk, cleaned);
  await cleaner.run();
  await cleaner.run();
  expect(cleaned).toEqual(['good']);
  expect([cleaner.isUncleanable(bad), cleaner.isUncleanable(good)]).toEqual([true, false]);
  expect(logger.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
  expect(bad.appendAsLeader(keyed([['k', 'v']]), 0).firstOffset).toBe(11);
});

test('a full disk is tried again when there is space', async () => {
  const disk = new MemoryDisk({ capacityBytes: 60_000 });
  const log = logOf({}, disk);
  for (let i = 0; i < 8; i++) fill(log, 1, `k${i}`.padEnd(500, '-'));
  await log.flush();
  const file = disk.open('/data/filler', 'create');
  file.truncateSync(disk.space().usableBytes);
  const cleaned: string[] = [];
  const { cleaner, logger, diskErrors } = cleanerOf([log], disk, cleaned);
  await cleaner.run();
  expect(diskErrors).toEqual([]);
  expect([cleaned, logger.lines]).toEqual([
    [],
    ['error compaction failed for want of space or descriptors; it will be tried again'],
  ]);
  file.truncateSync(0);
  await cleaner.run();
  expect(cleaned).toEqual(['t-0']);
});

test('an error of the disk is told to who can say whether all of the directory has failed', async () => {
  const disk = new MemoryDisk();
  const [log, other] = [logOf({}, disk, 'broken'), logOf({}, disk, 'whole')];
  for (const one of [log, other]) fill(one, 10);
  await Promise.all([log.flush(), other.flush()]);
  const open = disk.open.bind(disk);
  disk.open = (path, mode) => {
    if (path.startsWith('/data/broken/') && path.endsWith('.cleaned')) throw new DiskError('IO', path, 'EIO');
    return open(path, mode);
  };
  const cleaned: string[] = [];
  const { cleaner, diskErrors } = cleanerOf([log, other], disk, cleaned);
  await cleaner.run();
  expect([cleaned, diskErrors]).toEqual([['whole'], ['broken IO']]);
  expect(cleaner.isUncleanable(log)).toBe(true);
});

test('retention deletes of logs that are compacted and deleted, and up to the log start of all', async () => {
  const disk = new MemoryDisk();
  const both = logOf({ cleanupPolicy: { delete: true, compact: true }, retentionMs: 10_000 }, disk, 'both');
  const compacted = logOf({ retentionMs: 10_000 }, disk, 'compacted');
  for (const log of [both, compacted]) {
    fill(log, 5, 'a', 1000);
    fill(log, 5, 'b', 999_000);
  }
  await cleanerOf([both, compacted], disk).cleaner.run();
  expect(contentOf(both).length).toBeGreaterThan(0);
  expect([both.logStartOffset, compacted.logStartOffset]).toEqual([0, 0]);
  both.updateConfig({ ...both.config, retentionMs: 500 });
  compacted.updateConfig({ ...compacted.config, retentionMs: 500 });
  compacted.advanceLogStartOffset(11);
  const before = compacted.segments.length;
  await cleanerOf([both, compacted], disk).cleaner.run();
  expect(both.logStartOffset).toBeGreaterThan(0);
  expect(compacted.segments.length).toBeLessThan(before);
});

test('a stopped cleaner begins nothing', async () => {
  const disk = new MemoryDisk();
  const log = logOf({}, disk);
  fill(log, 10);
  const cleaned: string[] = [];
  const { cleaner } = cleanerOf([log], disk, cleaned);
  await cleaner.stop();
  await cleaner.run();
  expect(cleaned).toEqual([]);
});

test('how far logs are compacted is kept in cleaner-offset-checkpoint; truncation and deletion take it back', async () => {
  const disk = new MemoryDisk();
  const open = (): LogDir => {
    let unique = 0;
    return LogDir.open({ disk, path: '/data', clock: new TestClock(), unique: () => `u${unique++}` });
  };
  const file = (): string | undefined => disk.readFile(`/data/${CLEANER_CHECKPOINT}`)?.toString();
  let dir = open();
  const config = testConfig(CONFIG);
  let log = dir.openOrCreate('t', 0, TOPIC_ID, config);
  dir.openOrCreate('u', 0, TOPIC_ID, config);
  fill(log, 10);
  fill(log, 10);
  await dir.checkpointCleaner();
  expect(file()).toBeUndefined();
  log.cleanedUpTo = 21;
  await dir.checkpointCleaner();
  expect(file()).toBe('0\n1\nt 0 21\n');
  await dir.close();
  dir = open();
  log = dir.openOrCreate('t', 0, TOPIC_ID, config);
  expect([log.cleanedUpTo, dir.openOrCreate('u', 0, TOPIC_ID, config).cleanedUpTo]).toEqual([21, null]);
  log.truncateTo(15);
  expect(log.cleanedUpTo).toBe(10);
  // Should the process end here, other records may come between.
  expect(file()).toBe('0\n1\nt 0 15\n');
  dir.delete(log);
  log = dir.openOrCreate('t', 0, TOPIC_ID, config);
  expect(log.cleanedUpTo).toBeNull();
  await dir.close();
  expect(file()).toBe('0\n0\n');
});

test('a transaction whose records are deleted and whose marker is compacted away is not open after a kill', async () => {
  const disk = new MemoryDisk();
  let unique = 0;
  const open = (): LogDir => LogDir.open({ disk, path: '/data', clock: new TestClock(), unique: () => `u${unique++}` });
  const config = testConfig({ ...CONFIG, minCleanableDirtyRatio: 0, deleteRetentionMs: 0 });
  const dir = open();
  const log = dir.openOrCreate('t', 0, TOPIC_ID, config);
  log.appendAsLeader(keyed([['k', 'v']], { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true }), 0);
  roll(log);
  log.advanceLogStartOffset(log.segments[1].baseOffset);
  expect(log.deleteOldSegments(0, log.logEndOffset)).toBe(1);
  const markerOffset = log.logEndOffset;
  log.appendAsLeader(marker(1, true), 0, 'coordinator');
  log.onHighWatermark(log.logEndOffset);
  const { cleaner } = cleanerOf([log], disk, [], dir);
  // The first one sets the delete horizon.
  for (let i = 0; i < 2; i++) {
    fill(log, 1);
    await cleaner.run();
  }
  expect(framesOf(readAll(log)).map(({ base }) => base)).not.toContain(markerOffset);
  dir.abandon();
  const again = open().openOrCreate('t', 0, TOPIC_ID, config);
  again.onHighWatermark(again.logEndOffset);
  expect(again.firstUnstableOffset).toBeNull();
});

test('how far a deleted topic was compacted is not taken for one of its name', async () => {
  const OTHER_ID = 'zzzzzzzzzzzzzzzzzzzzzz';
  const disk = new MemoryDisk();
  let unique = 0;
  const open = (): LogDir => LogDir.open({ disk, path: '/data', clock: new TestClock(), unique: () => `u${unique++}` });
  const config = testConfig(CONFIG);
  /** The topic is made, compacted, deleted. */
  const deleted = async (): Promise<LogDir> => {
    const dir = open();
    const log = dir.openOrCreate('t', 0, TOPIC_ID, config);
    fill(log, 10);
    log.cleanedUpTo = 10;
    await dir.checkpointCleaner();
    dir.delete(log);
    return dir;
  };
  // A new one after a start, which may find the checkpoint as it was.
  for (const end of [async (dir: LogDir) => dir.abandon(), (dir: LogDir) => dir.close()]) {
    await end(await deleted());
    const dir = open();
    expect(dir.openOrCreate('t', 0, OTHER_ID, config).cleanedUpTo).toBeNull();
    dir.delete(dir.openOrCreate('t', 0, OTHER_ID, config));
    dir.abandon();
  }
  // A new one at once; what was about to be written must not come later.
  for (const isUnderWay of [false, true]) {
    const first = await deleted();
    const written = isUnderWay ? first.checkpointCleaner() : null;
    fill(first.openOrCreate('t', 0, OTHER_ID, config), 20);
    await written;
    first.abandon();
    const second = open();
    const log = second.openOrCreate('t', 0, OTHER_ID, config);
    expect(log.logEndOffset).toBe(21);
    expect(log.cleanedUpTo).toBeNull();
    second.delete(log);
    second.abandon();
  }
});

test('a thread is started for a compaction that is not small', async () => {
  const disk = new MemoryDisk();
  const [small, large] = [logOf({}, disk, 'small-0'), logOf({ segmentBytes: 4_194_304 }, disk, 'large-0')];
  fill(small, 4);
  const value = 'x'.repeat(1_000_000);
  for (let i = 0; i < 16; i++) large.appendAsLeader(keyed([['k', value]]), 0);
  const threads: string[] = [];
  const startThread: StartWorker = (settings, control) => {
    threads.push(settings.dir);
    return new CompactionWork(disk, settings, control, eagerPacer());
  };
  const cleaned: string[] = [];
  await cleanerOf([small, large], disk, cleaned, null, startThread).cleaner.run();
  expect(cleaned.sort()).toEqual(['large-0', 'small-0']);
  expect(threads).toEqual(['/data/large-0']);
  expect(contentOf(large).length).toBeLessThan(6);
});
