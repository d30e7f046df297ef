import { describe, expect, test } from 'vitest';
import { bytesOf, type DeferredBytes, isDeferred } from '../../protocol/deferred-bytes.ts';
import { hasValidCrc } from '../../protocol/records/check.ts';
import { type Disk, DiskError, type DiskFile, Log, LogError, LogResources, MemoryDisk } from '../../storage/index.ts';
import { batch, framesOf, newLog, nextOffset, openLog, produced, readAll, TestClock, testConfig } from './batches.ts';

describe('an append', () => {
  test('as a leader sets offsets, epoch and nothing else', () => {
    const log = newLog();
    const sent = Buffer.concat([batch(3), batch(2)]);
    expect(log.appendAsLeader(sent, 7)).toEqual({
      firstOffset: 0,
      lastOffset: 4,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      duplicate: false,
    });
    expect(framesOf(sent).map((frame) => [frame.base, frame.last])).toEqual([
      [0, 2],
      [3, 4],
    ]);
    expect([sent.readInt32BE(12), hasValidCrc(sent, 0)]).toEqual([7, true]);
    expect(log.read(0, 10_000, { upTo: 5, minOneBatch: false }).records.equals(sent)).toBe(true);
  });

  test('with LogAppendTime sets the time and a new CRC', () => {
    const log = newLog({ messageTimestampType: 'LogAppendTime' });
    const sent = batch(2);
    expect(log.appendAsLeader(sent, 0).logAppendTimeMs).toBe(1_000_000);
    expect([sent.readInt16BE(21), Number(sent.readBigInt64BE(35)), hasValidCrc(sent, 0)]).toEqual([8, 1_000_000, true]);
    expect(log.offsetForTimestamp(5_000)).toEqual({ timestampMs: 1_000_000, offset: 0, leaderEpoch: 0 });
  });

  test('as a follower keeps offsets and epochs, and refuses to go back', () => {
    const log = newLog();
    log.appendAsFollower(Buffer.concat([batch(2, { leaderEpoch: 1 }), batch(1, { baseOffset: 5, leaderEpoch: 2 })]));
    expect([log.logEndOffset, log.latestEpoch, log.endOffsetForEpoch(1).endOffset]).toEqual([6, 2, 5]);
    for (const base of [0, 5]) {
      expect(() => log.appendAsFollower(batch(1, { baseOffset: base }))).toThrow(
        expect.objectContaining({ code: 'UNEXPECTED_APPEND_OFFSET' }),
      );
    }
    const falling = Buffer.concat([batch(2, { baseOffset: 10 }), batch(1, { baseOffset: 11 })]);
    expect(() => log.appendAsFollower(falling)).toThrow(LogError);
    expect(log.logEndOffset).toBe(6);
  });

  test('of what is no batch is refused', () => {
    const log = newLog();
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(61),
      batch(1).subarray(0, 70),
      Buffer.concat([batch(1), Buffer.alloc(5)]),
    ]) {
      expect(() => log.appendAsLeader(bytes, 0)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
      expect(() => log.appendAsFollower(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
    }
    expect(log.sizeBytes).toBe(0);
  });

  test('larger than a segment is refused', () => {
    const log = newLog({ segmentBytes: 100 });
    expect(() => log.appendAsLeader(batch(5), 0)).toThrow(expect.objectContaining({ code: 'RECORD_LIST_TOO_LARGE' }));
  });
});

describe('a roll', () => {
  const bases = (log: Log): number[] => log.segments.map((segment) => segment.baseOffset);

  test('comes when the segment would be larger than segment.bytes', () => {
    const size = batch(1).length;
    const log = newLog({ segmentBytes: 2 * size });
    for (let i = 0; i < 5; i++) log.appendAsLeader(batch(1), 0);
    expect(bases(log)).toEqual([0, 2, 4]);
  });

  test('comes by the time between records (segment.ms), less the jitter', () => {
    const log = newLog({ segmentMs: 100 });
    for (const timestamp of [1000, 1100, 1050, 1101, 1150]) log.appendAsLeader(batch(1, { timestamp }), 0);
    expect(bases(log)).toEqual([0, 3]);
    const jittered = newLog({ segmentMs: 100, segmentJitterMs: 100 });
    for (const timestamp of [1000, 1100]) jittered.appendAsLeader(batch(1, { timestamp }), 0);
    expect(bases(jittered)).toEqual([0, 1]);
  });

  test('comes by the clock where records have no timestamps', () => {
    const clock = new TestClock();
    const log = openLog(new MemoryDisk(), { clock, config: { segmentMs: 100 } });
    log.appendAsLeader(batch(1, { timestamp: -1 }), 0);
    clock.now += 101;
    log.appendAsLeader(batch(1, { timestamp: -1 }), 0);
    expect(bases(log)).toEqual([0, 1]);
  });

  test('comes when an index is full', () => {
    const log = newLog({ segmentIndexBytes: 40, indexIntervalBytes: 0 });
    for (let i = 0; i < 8; i++) log.appendAsLeader(batch(1), 0);
    expect(bases(log)).toEqual([0, 6]);
  });

  test('comes when offsets would not fit into the index', () => {
    const log = newLog();
    log.appendAsFollower(batch(1));
    log.appendAsFollower(batch(1, { baseOffset: 0x7fff_ffff }));
    log.appendAsFollower(batch(1, { baseOffset: 0x8000_0000 }));
    expect(bases(log)).toEqual([0, 0x8000_0000]);
    const empty = newLog();
    empty.appendAsFollower(batch(1, { baseOffset: 0x1_0000_0000 }));
    // As Kafka names it: the last offset is as far from it as an index can say.
    expect(bases(empty)).toEqual([0, 0x8000_0001]);
    expect(empty.read(0, 1000, { upTo: 0x1_0000_0001, minOneBatch: true }).records.length).toBe(batch(1).length);
  });

  test('flushes what came before', async () => {
    const log = newLog({ segmentBytes: 200 });
    log.appendAsLeader(batch(3), 0);
    log.appendAsLeader(batch(3), 0);
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.recoveryPoint).toBe(3);
  });
});

describe('a read', () => {
  function threeBatches(): { log: Log; size: number } {
    const log = newLog();
    for (let i = 0; i < 3; i++) log.appendAsLeader(batch(2), 0);
    return { log, size: batch(2).length };
  }
  const lengths = (log: Log, offset: number, maxBytes: number, upTo: number, minOneBatch = false): number =>
    log.read(offset, maxBytes, { upTo, minOneBatch }).records.length;

  test('gives whole batches only', () => {
    const { log, size } = threeBatches();
    expect(lengths(log, 0, 10_000, 6)).toBe(3 * size);
    expect(lengths(log, 0, 3 * size - 1, 6)).toBe(2 * size);
    expect(lengths(log, 3, 10_000, 6)).toBe(2 * size);
    expect(lengths(log, 0, size - 1, 6)).toBe(0);
    expect(lengths(log, 0, 0, 6)).toBe(0);
    expect(lengths(log, 0, 0, 6, true)).toBe(size);
  });

  test('does not reach upTo', () => {
    const { log, size } = threeBatches();
    expect([lengths(log, 0, 10_000, 4), lengths(log, 0, 10_000, 5), lengths(log, 4, 10_000, 5, true)]).toEqual([
      2 * size,
      2 * size,
      0,
    ]);
    expect([lengths(log, 6, 10_000, 6), lengths(log, 2, 10_000, 2)]).toEqual([0, 0]);
  });

  test('outside the log is refused', () => {
    const { log } = threeBatches();
    log.advanceLogStartOffset(2);
    for (const offset of [1, 7]) {
      expect(() => lengths(log, offset, 100, 6)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }));
    }
    expect(lengths(log, 2, 10_000, 6)).toBeGreaterThan(0);
  });

  test('is put off where it is large, and gives the same bytes, also while the segment waits for its deletion', () => {
    const disk = new MemoryDisk();
    const log = openLog(disk, {
      config: testConfig({ segmentBytes: 200_000, retentionBytes: 1, fileDeleteDelayMs: 1000 }),
    });
    for (let i = 0; i < 8; i++) log.appendAsLeader(batch(1, { valueBytes: 30_000 }), 0);
    const options = { upTo: 8, minOneBatch: true };
    const whole = log.read(0, 100_000, options).records;
    const { records } = log.slice(0, 100_000, options);
    expect(whole.length).toBe(3 * batch(1, { valueBytes: 30_000 }).length);
    expect([isDeferred(records), isDeferred(log.slice(0, 31_000, options).records)]).toEqual([true, false]);
    expect(bytesOf(records).equals(whole)).toBe(true);
    const part = Buffer.alloc(1000);
    (records as DeferredBytes).copyTo(part, 40_000);
    expect(part.equals(whole.subarray(40_000, 41_000))).toBe(true);
    expect(log.deleteOldSegments(2_000_000, 8)).toBe(1);
    expect(bytesOf(records).equals(whole)).toBe(true);
    for (const name of disk.list(log.dir)) if (name.endsWith('.deleted')) disk.remove(`${log.dir}/${name}`);
    log.abandon();
    expect(() => bytesOf(records)).toThrow();
  });

  test('takes whole batches only, whatever the limit', () => {
    const log = openLog(new MemoryDisk(), { config: testConfig({ indexIntervalBytes: 300 }) });
    const ends = [0];
    for (let i = 0; i < 60; i++) {
      log.appendAsLeader(batch(1 + (i % 3), { valueBytes: (i * 37) % 200 }), 0);
      ends.push(log.sizeBytes);
    }
    const all = readAll(log);
    const upTo = log.logEndOffset;
    for (let limit = 0; limit <= all.length + 10; limit += 7) {
      const fitting = ends.filter((end) => end <= limit).at(-1) as number;
      expect(log.read(0, limit, { upTo, minOneBatch: false }).records.length).toBe(fitting);
      expect(log.read(0, limit, { upTo, minOneBatch: true }).records.length).toBe(Math.max(fitting, ends[1]));
    }
  });

  test('says behind which offset it ends, whatever the limit and wherever the index leads', () => {
    for (const indexIntervalBytes of [1, 150, 400]) {
      const log = newLog({ indexIntervalBytes });
      for (let i = 0; i < 30; i++) log.appendAsLeader(batch(1 + (i % 3), { valueBytes: (i * 7) % 40 }), 0);
      for (let maxBytes = 1; maxBytes < 900; maxBytes += 7) {
        const read = log.slice(9, maxBytes, { upTo: log.logEndOffset, minOneBatch: true });
        expect(read.endOffset).toBe(nextOffset(read.records as Buffer));
      }
    }
  });

  test('at the end comes from memory once somebody reads there, and stays valid', () => {
    let reads = 0;
    class CountingDisk extends MemoryDisk {
      override open(path: string, mode: 'existing' | 'create'): DiskFile {
        const file = super.open(path, mode);
        return Object.assign(Object.create(file), {
          sizeBytes: () => file.sizeBytes(),
          writeSync: (data: Uint8Array, position: number) => file.writeSync(data, position),
          truncateSync: (size: number) => file.truncateSync(size),
          readSync: (target: Uint8Array, position: number) => {
            reads += 1;
            return file.readSync(target, position);
          },
        });
      }
    }
    const log = openLog(new CountingDisk());
    log.read(0, 1000, { upTo: 0, minOneBatch: true });
    const kept: Buffer[] = [];
    for (let i = 0; i < 500; i++) {
      log.appendAsLeader(batch(1, { valueBytes: i }), 0);
      kept.push(log.read(i, 100_000, { upTo: i + 1, minOneBatch: true }).records);
    }
    expect(reads).toBe(0);
    expect(Buffer.concat(kept).equals(readAll(log))).toBe(true);
    log.truncateTo(250);
    log.appendAsLeader(batch(1, { valueBytes: 9 }), 1);
    expect(log.read(250, 100_000, { upTo: 251, minOneBatch: true }).records.length).toBe(
      batch(1, { valueBytes: 9 }).length,
    );
  });
});

describe('looking up by time', () => {
  test('finds the first record that is not older', () => {
    const log = newLog({ segmentBytes: 400, indexIntervalBytes: 0 });
    for (const timestamp of [100, 200, 150, 300, 250, 400]) log.appendAsLeader(batch(2, { timestamp }), 3);
    expect(log.segments.length).toBeGreaterThan(1);
    const find = (timestampMs: number): number | undefined => log.offsetForTimestamp(timestampMs)?.offset;
    expect([0, 100, 101, 102, 201, 202, 260, 301, 302, 401].map(find)).toEqual([0, 0, 1, 2, 3, 6, 6, 7, 10, 11]);
    expect(find(402)).toBeUndefined();
    expect(log.maxTimestamp()).toEqual({ timestampMs: 401, offset: 11, leaderEpoch: 3 });
    log.advanceLogStartOffset(3);
    expect(find(0)).toBe(3);
  });

  test('reads compressed batches', () => {
    const log = newLog();
    for (const compression of [1, 2, 3, 4] as const)
      log.appendAsLeader(batch(10, { compression, timestamp: compression * 100 }), 0);
    expect(log.offsetForTimestamp(305)).toEqual({ timestampMs: 305, offset: 25, leaderEpoch: 0 });
    expect(log.maxTimestamp()?.offset).toBe(39);
  });

  test('finds nothing in a log without timestamps', () => {
    const log = newLog();
    expect([log.maxTimestamp(), log.offsetForTimestamp(0)]).toEqual([null, null]);
    log.appendAsFollower(batch(1, { timestamp: -1 }));
    expect(log.maxTimestamp()).toBeNull();
  });
});

describe('retention', () => {
  function filled(config: object): { log: Log; clock: TestClock; disk: MemoryDisk; resources: LogResources } {
    const disk = new MemoryDisk();
    const clock = new TestClock();
    const resources = new LogResources(disk);
    const size = batch(1).length;
    const log = openLog(disk, { clock, resources, config: { segmentBytes: 2 * size, retentionMs: -1, ...config } });
    for (let i = 0; i < 10; i++) log.appendAsLeader(batch(1, { timestamp: 1000 + i }), 0);
    return { log, clock, disk, resources };
  }

  test('by size keeps at least retention.bytes', () => {
    const { log } = filled({ retentionBytes: 5 * batch(1).length });
    expect(log.deleteOldSegments(0, 10)).toBe(2);
    expect([log.logStartOffset, log.sizeBytes]).toEqual([4, 6 * batch(1).length]);
  });

  test('by time looks at the newest record of a segment', () => {
    const { log } = filled({ retentionMs: 100 });
    expect(log.deleteOldSegments(1103, 10)).toBe(1);
    expect(log.logStartOffset).toBe(2);
    expect(log.deleteOldSegments(1109, 10)).toBe(3);
    expect(log.deleteOldSegments(2000, 10)).toBe(1);
    expect([log.logStartOffset, log.logEndOffset, log.segments.length, log.sizeBytes]).toEqual([10, 10, 1, 0]);
    expect(log.deleteOldSegments(9000, 10)).toBe(0);
    expect(log.appendAsLeader(batch(1), 0).firstOffset).toBe(10);
  });

  test('by time without timestamps goes by when the file was last written', () => {
    const clock = new TestClock();
    const disk = new MemoryDisk({ nowMs: () => clock.now });
    const log = openLog(disk, { clock, config: { retentionMs: 100 } });
    log.appendAsLeader(batch(1, { timestamp: -1 }), 0);
    clock.now += 50;
    log.appendAsLeader(batch(1, { timestamp: -1 }), 0);
    expect(log.deleteOldSegments(clock.now + 100, 2)).toBe(0);
    expect(log.deleteOldSegments(clock.now + 101, 2)).toBe(1);
  });

  test.each([
    ['an orderly end', { clean: true, recoveryPoint: 1 }],
    ['a crash', { clean: false }],
  ])('by time without timestamps goes on where it was after %s, while rolling begins anew', (_what, options) => {
    const clock = new TestClock();
    const disk = new MemoryDisk({ nowMs: () => clock.now });
    const config = { retentionMs: 100, segmentMs: 1000 };
    const log = openLog(disk, { clock, config });
    log.appendAsLeader(batch(1, { timestamp: -1 }), 0);
    log.close();
    const writtenMs = clock.now;
    clock.now += 5000;
    const again = openLog(disk, { clock, config, ...options });
    expect(again.segments[0].createdMs).toBe(clock.now);
    again.onHighWatermark(1);
    expect(again.deleteOldSegments(writtenMs + 100, 1)).toBe(0);
    expect(again.deleteOldSegments(writtenMs + 101, 1)).toBe(1);
    expect(again.logStartOffset).toBe(1);
  });

  test('stops at the high watermark', () => {
    const { log } = filled({ retentionBytes: 0 });
    expect(log.deleteOldSegments(0, 5)).toBe(2);
    expect(log.logStartOffset).toBe(4);
  });

  test('without the delete policy takes only what is below the log start', () => {
    const { log } = filled({ retentionBytes: 0, cleanupPolicy: { delete: false, compact: true } });
    expect(log.deleteOldSegments(0, 10)).toBe(0);
    log.advanceLogStartOffset(5);
    expect(log.deleteOldSegments(0, 10)).toBe(2);
    expect(log.logStartOffset).toBe(5);
  });

  test('renames files first and deletes them after file.delete.delay.ms', async () => {
    const { log, clock, disk, resources } = filled({ retentionBytes: 6 * batch(1).length, fileDeleteDelayMs: 50 });
    log.deleteOldSegments(clock.now, 10);
    const deleted = (): number => disk.list('/data/t-0').filter((name) => name.endsWith('.deleted')).length;
    expect(deleted()).toBeGreaterThan(3);
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    await resources.deletions.run(clock.now + 49, logger);
    expect(deleted()).toBeGreaterThan(3);
    await resources.deletions.run(clock.now + 50, logger);
    expect(deleted()).toBe(0);
  });
});

describe('durability', () => {
  /** A memory disk of which chosen calls fail. */
  class FaultyDisk extends MemoryDisk {
    failing = new Set<string>();
    synced: string[] = [];

    override open(path: string, mode: 'existing' | 'create'): DiskFile {
      const file = super.open(path, mode);
      const check = (action: string): void => {
        if (this.failing.has(`${action} ${path.slice(path.lastIndexOf('.'))}`))
          throw new DiskError('IO', path, 'made to fail');
        if (action === 'sync') this.synced.push(path.slice(path.lastIndexOf('.')));
      };
      return {
        path,
        sizeBytes: () => file.sizeBytes(),
        readSync: (target, position) => file.readSync(target, position),
        read: (target, position) => file.read(target, position),
        writeSync: (data, position) => {
          check('write');
          file.writeSync(data, position);
        },
        truncateSync: (size) => file.truncateSync(size),
        modifiedMs: () => file.modifiedMs(),
        setModifiedMs: (modifiedMs) => file.setModifiedMs(modifiedMs),
        sync: async () => check('sync'),
        syncSync: () => check('sync'),
        close: () => file.close(),
      };
    }
  }

  test('flush moves the recovery point, once', async () => {
    const disk = new FaultyDisk();
    const log = openLog(disk);
    log.appendAsLeader(batch(2), 1);
    const flushed = log.flush();
    log.appendAsLeader(batch(2), 1);
    await flushed;
    expect([log.recoveryPoint, disk.synced]).toEqual([2, ['.log', '.tmp', '.metadata']]);
    expect(disk.exists('/data/t-0/leader-epoch-checkpoint')).toBe(true);
    log.flushSync();
    await log.flush();
    expect([log.recoveryPoint, disk.synced.slice(3)]).toEqual([4, ['.log']]);
  });

  test('flush.messages says when a flush is due', () => {
    const log = newLog({ flushMessages: 3 });
    log.appendAsLeader(batch(2), 0);
    expect(log.isFlushDue).toBe(false);
    log.appendAsLeader(batch(1), 0);
    expect(log.isFlushDue).toBe(true);
    log.flushSync();
    expect([log.isFlushDue, log.recoveryPoint]).toEqual([false, 3]);
  });

  test('a flush that a truncation has overtaken proves nothing', async () => {
    const log = newLog();
    log.appendAsLeader(batch(5), 0);
    const flushed = log.flush();
    log.truncateTo(0);
    log.appendAsLeader(batch(5), 1);
    await flushed;
    expect(log.recoveryPoint).toBe(0);
  });

  test('a log whose flush has failed takes nothing more', async () => {
    const disk = new FaultyDisk();
    const log = openLog(disk);
    log.appendAsLeader(batch(1), 0);
    disk.failing.add('sync .log');
    await expect(log.flush()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    disk.failing.clear();
    expect(() => log.appendAsLeader(batch(1), 0)).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }));
    expect(() => log.close()).toThrow(LogError);
  });

  test('a write that fails leaves the log as it was', () => {
    const disk = new FaultyDisk();
    const log = openLog(disk);
    log.appendAsLeader(produced(1, 0), 0);
    disk.failing.add('write .log');
    expect(() => log.appendAsLeader(produced(1, 1), 0)).toThrow(
      expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }),
    );
    disk.failing.clear();
    expect(log.appendAsLeader(produced(1, 1), 0)).toMatchObject({ firstOffset: 1, duplicate: false });
  });

  test('a full disk is said so, and room makes it go on', () => {
    const size = batch(1).length;
    const disk: Disk = new MemoryDisk({ capacityBytes: 3 * size + 50 });
    const log = Log.open({
      disk,
      dir: '/d',
      topic: 't',
      partition: 0,
      topicId: null,
      config: testConfig(),
      clock: new TestClock(),
      clean: false,
    });
    disk.writeFile('/other', Buffer.alloc(2 * size));
    log.appendAsLeader(batch(1), 0);
    expect(() => log.appendAsLeader(batch(1), 0)).toThrow(/used up/);
    disk.remove('/other');
    expect(log.appendAsLeader(batch(1), 0).firstOffset).toBe(1);
  });

  test('a log that is half written to takes nothing more before a recovery', () => {
    const disk = new FaultyDisk();
    const log = openLog(disk, { config: { indexIntervalBytes: 0 } });
    disk.failing.add('write .index');
    expect(() => {
      for (let i = 0; i < 2000; i++) log.appendAsLeader(batch(1), 0);
    }).toThrow(LogError);
    const end = log.logEndOffset;
    disk.failing.clear();
    expect(() => log.appendAsLeader(batch(1), 0)).toThrow(LogError);
    log.abandon();
    expect(openLog(disk).logEndOffset).toBe(end + 1);
  });
});
