import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Disk, type Log, LogDir, MemoryDisk, NodeDisk } from '../../storage/index.ts';
import { FaultyDisk } from '../sim/faulty-disk.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { batch, produced, readAll, TestClock, testConfig } from './batches.ts';

const ID = 'aaaaaaaaaaaaaaaaaaaaaa';
const OTHER_ID = 'bbbbbbbbbbbbbbbbbbbbbb';
const root = mkdtempSync(join(tmpdir(), 'odradek-logs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const clock = new TestClock();
let names = 0;

function open(disk: Disk, path = '/data'): LogDir {
  return LogDir.open({ disk, path, clock, unique: () => `u-_${names++}` });
}

function openLog(dir: LogDir, topic = 't', topicId = ID): Log {
  return dir.openOrCreate(topic, 0, topicId, testConfig({ segmentBytes: 1000, fileDeleteDelayMs: 100 }));
}

describe.each([
  ['on disk', (): [Disk, string] => [new NodeDisk(), join(root, `d${names++}`)]],
  ['in memory', (): [Disk, string] => [new MemoryDisk(), '/data']],
])('a data directory %s', (_name, place) => {
  test('is found again after an orderly end', async () => {
    for (const durable of [true, false]) {
      const [disk, path] = place();
      const first = open(disk, path);
      expect([first.wasClean, first.previousBrokerEpoch]).toEqual([false, -1]);
      const log = openLog(first);
      for (let i = 0; i < 30; i++) log.appendAsLeader(produced(4, i, { count: 1 }), 2);
      log.advanceLogStartOffset(3);
      const bytes = readAll(log);
      openLog(first, 'idle');
      await first.close({ brokerEpoch: 17, durable });

      const second = open(disk, path);
      expect([second.wasClean, second.previousBrokerEpoch]).toEqual([true, 17]);
      expect(second.unclaimed()).toEqual([
        { topic: 'idle', partition: 0, topicId: ID },
        { topic: 't', partition: 0, topicId: ID },
      ]);
      const again = openLog(second);
      expect([again.logStartOffset, again.logEndOffset, again.recoveryPoint, again.latestEpoch]).toEqual([
        3, 30, 30, 2,
      ]);
      expect(readAll(again).equals(bytes)).toBe(true);
      expect(again.appendAsLeader(produced(4, 30), 3).firstOffset).toBe(30);
      expect(second.unclaimed().length).toBe(1);
      await second.close({ durable });
      expect(disk.exists(`${path}/.kafka_cleanshutdown`)).toBe(true);
    }
  });

  test('is recovered after a crash', async () => {
    const [disk, path] = place();
    const first = open(disk, path);
    const log = openLog(first);
    for (let i = 0; i < 30; i++) log.appendAsLeader(batch(1), 1);
    await log.flush();
    await first.checkpoint();
    for (let i = 0; i < 5; i++) log.appendAsLeader(batch(1), 1);
    first.abandon();
    const second = open(disk, path);
    expect(second.wasClean).toBe(false);
    const again = openLog(second);
    expect([again.logEndOffset, again.recoveryPoint]).toEqual([35, 30]);
    second.abandon();
  });
});

describe('a data directory', () => {
  test('is not clean before its end, even when it was before', async () => {
    const disk = new MemoryDisk();
    await open(disk).close();
    expect(open(disk).wasClean).toBe(true);
    expect(disk.exists('/data/.kafka_cleanshutdown')).toBe(false);
  });

  test('has one user', async () => {
    const disk = new MemoryDisk();
    const first = open(disk);
    expect(() => open(disk)).toThrow(expect.objectContaining({ code: 'LOCKED' }));
    await first.close();
    open(disk).abandon();
    open(disk);
  });

  test('knows its logs', () => {
    const dir = open(new MemoryDisk());
    const log = openLog(dir);
    expect([dir.get('t', 0) === log, dir.get('t', 1), dir.has('t', 0), dir.has('x', 0)]).toEqual([
      true,
      undefined,
      true,
      false,
    ]);
    expect([...dir.logs()]).toEqual([log]);
    const changed = dir.openOrCreate('t', 0, ID, testConfig({ segmentBytes: 7 }));
    expect([changed === log, log.config.segmentBytes]).toEqual([true, 7]);
  });

  test('renames what is deleted at once and removes it later, also after a restart', async () => {
    const disk = new MemoryDisk();
    const dir = open(disk);
    const log = openLog(dir);
    log.appendAsLeader(batch(1), 0);
    dir.delete(log);
    expect(() => log.appendAsLeader(batch(1), 0)).toThrow();
    const folders = (): string[] => disk.list('/data').filter((name) => name.startsWith('t-0'));
    expect(folders()).toEqual([expect.stringMatching(/^t-0\.u\d+-delete$/)]);
    openLog(dir, 't', OTHER_ID).appendAsLeader(batch(1), 0);
    expect(dir.get('t', 0)?.logEndOffset).toBe(1);
    await dir.deleteDue(clock.now + 99);
    expect(folders().length).toBe(2);
    await dir.close();
    const again = open(disk);
    await again.deleteDue(clock.now);
    expect(folders()).toEqual(['t-0']);
  });

  test('makes way for a topic of the same name with another id', async () => {
    const disk = new MemoryDisk();
    const dir = open(disk);
    openLog(dir).appendAsLeader(batch(3), 0);
    expect(openLog(dir, 't', OTHER_ID).logEndOffset).toBe(0);
    await dir.close();
    const again = open(disk);
    expect(openLog(again, 't', ID).logEndOffset).toBe(0);
    again.deleteUnclaimed('none', 3);
  });

  test('does not hold a new topic to the checkpoints of the one that had its name', async () => {
    const disk = new MemoryDisk();
    const dir = open(disk);
    const log = openLog(dir);
    log.appendAsLeader(batch(20), 0);
    log.flushSync();
    log.advanceLogStartOffset(15);
    await dir.checkpoint();
    dir.delete(log);
    openLog(dir, 't', OTHER_ID).appendAsLeader(batch(3), 0);
    dir.abandon();
    const again = openLog(open(disk), 't', OTHER_ID);
    expect([again.logStartOffset, again.logEndOffset]).toEqual([0, 3]);
  });

  test('lowers a checkpointed recovery point before a log is truncated below it', async () => {
    const disk = new MemoryDisk();
    const dir = open(disk);
    const log = openLog(dir);
    for (let i = 0; i < 10; i++) log.appendAsLeader(batch(1), 0);
    log.flushSync();
    await dir.checkpoint();
    log.truncateTo(4);
    dir.abandon();
    const again = openLog(open(disk));
    expect([again.logEndOffset, again.recoveryPoint]).toEqual([4, 4]);
  });

  test('opens its other logs where one is damaged', async () => {
    const disk = new MemoryDisk();
    const dir = open(disk);
    const logs = ['t', 'other'].map((topic) => openLog(dir, topic));
    for (const log of logs) log.appendAsLeader(batch(5), 0);
    for (const log of logs) log.flushSync();
    await dir.checkpoint();
    dir.abandon();
    const path = '/data/t-0/00000000000000000000.log';
    disk.open(path, 'existing').truncateSync(50);
    const again = open(disk);
    expect(() => openLog(again)).toThrow(`${path} is damaged at byte 0: no whole record batch, at offset 0`);
    expect(openLog(again, 'other').logEndOffset).toBe(5);
    // Its recovery point outlives this process, so that the damage is not forgotten.
    await again.close();
    const third = open(disk);
    expect(third.wasClean).toBe(false);
    expect(() => openLog(third)).toThrow('is damaged');
  });

  test('leaves the metadata log and strange folders alone', () => {
    const disk = new MemoryDisk();
    for (const name of ['__cluster_metadata-0', 'lost+found', 'x-0.abc-future', 'y-3']) disk.makeDir(`/data/${name}`);
    const dir = open(disk);
    expect(dir.unclaimed()).toEqual([{ topic: 'y', partition: 3, topicId: null }]);
    dir.deleteUnclaimed('y', 3);
    expect(dir.unclaimed()).toEqual([]);
  });

  test('keeps the checkpoints of logs that nobody has opened', async () => {
    const disk = new MemoryDisk();
    const first = open(disk);
    const log = openLog(first);
    log.appendAsLeader(batch(10), 0);
    log.advanceLogStartOffset(4);
    await first.close();
    await open(disk).close();
    const third = open(disk);
    expect(third.wasClean).toBe(true);
    expect([openLog(third).logStartOffset, openLog(third).recoveryPoint]).toEqual([4, 10]);
  });

  test('stays unclean while logs wait for their recovery', async () => {
    const disk = new MemoryDisk();
    const first = open(disk);
    openLog(first).appendAsLeader(batch(1), 0);
    first.abandon();
    await open(disk).close();
    expect(open(disk).wasClean).toBe(false);
  });

  test('takes damaged checkpoints as empty', () => {
    const disk = new MemoryDisk();
    disk.makeDir('/data');
    disk.writeFile('/data/recovery-point-offset-checkpoint', 'nonsense');
    expect(openLog(open(disk)).recoveryPoint).toBe(0);
  });

  test('remembers high watermarks', async () => {
    const disk = new MemoryDisk();
    const dir = open(disk);
    expect(dir.readHighWatermarks().size).toBe(0);
    await dir.writeHighWatermarks([{ topic: 't', partition: 0, offset: 12 }]);
    expect([...dir.readHighWatermarks()]).toEqual([['t-0', 12]]);
    expect(dir.space().usableBytes).toBeGreaterThan(0);
  });

  test('flushes by flush.ms', async () => {
    const dir = open(new MemoryDisk());
    const log = dir.openOrCreate('t', 0, ID, testConfig({ flushMs: 50 }));
    log.appendAsLeader(batch(2), 0);
    await dir.flushDue(clock.now + 49);
    expect(log.recoveryPoint).toBe(0);
    await dir.flushDue(clock.now + 50);
    expect(log.recoveryPoint).toBe(2);
  });

  test('flushes by flush.ms also those that come after one that fails', async () => {
    const disk = new FaultyDisk(new SeededRandom(1));
    const dir = open(disk);
    const logs = ['a', 'b', 'c'].map((topic) => dir.openOrCreate(topic, 0, ID, testConfig({ flushMs: 50 })));
    for (const log of logs) log.appendAsLeader(batch(2), 0);
    disk.failAfter.sync = 0;
    await dir.flushDue(clock.now + 50);
    expect(logs.map((log) => [log.failure === null, log.recoveryPoint])).toEqual([
      [false, 0],
      [true, 2],
      [true, 2],
    ]);
    logs[2].appendAsLeader(batch(3), 0);
    await dir.flushDue(clock.now + 100);
    expect(logs[2].recoveryPoint).toBe(5);
  });
});
