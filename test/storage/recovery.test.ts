import { crc32 } from '@node-rs/crc32';
import { describe, expect, test } from 'vitest';
import { type Log, LogError, MemoryDisk } from '../../storage/index.ts';
import { FaultyDisk } from '../sim/faulty-disk.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { batch, checkIndexFiles, marker, openLog, produced, readAll } from './batches.ts';

const FIRST_LOG = '/data/t-0/00000000000000000000.log';

/** A disk with one segment of these batches, not closed in an orderly way. */
function diskWith(batches: Buffer[]): MemoryDisk {
  const disk = new MemoryDisk();
  const log = openLog(disk);
  for (const bytes of batches) log.appendAsLeader(bytes, 0);
  log.abandon();
  return disk;
}

function cutFile(disk: MemoryDisk, path: string, size: number): void {
  disk.open(path, 'existing').truncateSync(size);
}

function reopen(disk: MemoryDisk): Log {
  return openLog(disk, { config: { indexIntervalBytes: 100 } });
}

describe('after a crash', () => {
  test('a log cut at any byte keeps its whole batches', () => {
    const batches = [batch(2), batch(1, { valueBytes: 40 }), batch(3)];
    const sizes = batches.map((bytes) => bytes.length);
    const total = sizes[0] + sizes[1] + sizes[2];
    for (let size = 0; size <= total; size++) {
      const disk = diskWith(batches);
      cutFile(disk, FIRST_LOG, size);
      const log = reopen(disk);
      const whole = size === total ? 3 : size >= sizes[0] + sizes[1] ? 2 : size >= sizes[0] ? 1 : 0;
      expect(log.logEndOffset).toBe([0, 2, 3, 6][whole]);
      expect(readAll(log).equals(Buffer.concat(batches.slice(0, whole)))).toBe(true);
      log.appendAsLeader(batch(1), 1);
      expect(log.logEndOffset).toBe([0, 2, 3, 6][whole] + 1);
      log.close();
      checkIndexFiles(disk, '/data/t-0');
    }
  });

  test('a batch with any byte changed is cut off, and all after it', () => {
    const batches = [batch(2), batch(1), batch(3)];
    const from = batches[0].length;
    for (let at = from; at < from + batches[1].length; at++) {
      const disk = diskWith(batches);
      const file = disk.open(FIRST_LOG, 'existing');
      const byte = Buffer.alloc(1);
      file.readSync(byte, at);
      file.writeSync(Buffer.from([byte[0] ^ 0x55]), at);
      const log = reopen(disk);
      // The leader epoch is not covered by the CRC, nor is a base offset that leaves a gap.
      const isUncovered = at < from + 8 || (at >= from + 12 && at < from + 16);
      if (!isUncovered) expect(log.logEndOffset).toBe(2);
      expect(readAll(log).subarray(0, from).equals(batches[0])).toBe(true);
    }
  });

  test('zeros behind the end, as a power cut leaves them, are cut off', () => {
    const disk = diskWith([batch(2)]);
    const file = disk.open(FIRST_LOG, 'existing');
    const size = file.sizeBytes();
    file.writeSync(Buffer.alloc(5000), size);
    expect(reopen(disk).logEndOffset).toBe(2);
    expect(file.sizeBytes()).toBe(size);
  });

  test('segments behind a damaged one go', () => {
    const disk = new MemoryDisk();
    const config = { segmentBytes: 300 };
    const log = openLog(disk, { config });
    for (let i = 0; i < 12; i++) log.appendAsLeader(batch(1, { valueBytes: 60 }), 0);
    expect(log.segments.length).toBeGreaterThan(3);
    const second = log.segments[1];
    log.abandon();
    cutFile(disk, second.log.path, second.sizeBytes - 1);
    const again = openLog(disk, { config });
    expect(again.segments.length).toBe(2);
    expect(again.logEndOffset).toBe(again.segments[1].nextOffset());
    expect(again.logEndOffset).toBeLessThan(12);
  });

  test('segments below the recovery point are not looked at', () => {
    const disk = new MemoryDisk();
    const config = { segmentBytes: 300 };
    const log = openLog(disk, { config });
    for (let i = 0; i < 12; i++) log.appendAsLeader(batch(1, { valueBytes: 60 }), 0);
    const { path } = log.segments[0].log;
    log.abandon();
    disk.open(path, 'existing').writeSync(Buffer.from('damage'), 70);
    const again = openLog(disk, { config, recoveryPoint: 8 });
    expect([again.logStartOffset, again.logEndOffset, again.recoveryPoint]).toEqual([0, 12, 8]);
  });

  test('leader epochs come back from the batches', () => {
    const disk = new MemoryDisk();
    const log = openLog(disk);
    for (const epoch of [1, 1, 4, 6]) log.appendAsLeader(batch(2), epoch);
    log.abandon();
    const again = openLog(disk);
    expect(again.latestEpoch).toBe(6);
    expect(again.endOffsetForEpoch(3)).toEqual({ epoch: 1, endOffset: 4 });
  });

  test('producers, open transactions and the transaction index come back', () => {
    const disk = new MemoryDisk();
    const log = openLog(disk);
    log.appendAsLeader(produced(7, 0, { count: 3 }), 0);
    log.appendAsLeader(produced(8, 0, { transactional: true }), 0);
    log.appendAsLeader(marker(8, false), 0, 'coordinator');
    log.appendAsLeader(produced(9, 0, { transactional: true }), 0);
    const before = log.producers();
    log.abandon();
    const again = openLog(disk);
    expect(again.producers()).toEqual(before);
    expect(again.firstUnstableOffset).toBe(3);
    again.onHighWatermark(6);
    expect(again.firstUnstableOffset).toBe(5);
    expect(again.abortedTransactions(0, 6)).toEqual([{ producerId: 8, firstOffset: 3 }]);
    expect(() => again.appendAsLeader(produced(7, 5), 0)).toThrow(LogError);
    expect(again.appendAsLeader(produced(7, 0, { count: 3 }), 0)).toMatchObject({ duplicate: true, firstOffset: 0 });
  });

  test('records of an old format are refused; what only looks like them is cut off', () => {
    // Offset 0, 22 bytes, CRC, magic 1, attributes, timestamp 1, no key, no value: as Kafka 0.10 wrote it.
    const message = Buffer.from(`${'00'.repeat(11)}16${'00'.repeat(4)}0100${'00'.repeat(7)}01${'ff'.repeat(8)}`, 'hex');
    const disk = diskWith([]);
    disk.writeFile(FIRST_LOG, message);
    expect(reopen(disk).logEndOffset).toBe(0);
    expect(disk.readFile(FIRST_LOG)?.length).toBe(0);
    message.writeUInt32BE(crc32(message.subarray(16)), 12);
    disk.writeFile(FIRST_LOG, message);
    expect(() => reopen(disk)).toThrow('records in format v1');
    expect(disk.readFile(FIRST_LOG)?.equals(message)).toBe(true);
  });

  test('indexes without a log and files marked deleted are removed', () => {
    const disk = diskWith([batch(1)]);
    for (const name of [
      '00000000000000000005.index',
      '00000000000000000007.txnindex',
      '00000000000000000003.log.deleted',
    ]) {
      disk.writeFile(`/data/t-0/${name}`, 'x');
    }
    disk.writeFile('/data/t-0/00000000000000000042-0000000003.checkpoint.deleted', 'x');
    expect(reopen(disk).logEndOffset).toBe(1);
    const left = disk.list('/data/t-0').filter((name) => !name.startsWith('00000000000000000000'));
    expect(left).toEqual(['00000000000000000042-0000000003.checkpoint.deleted', 'partition.metadata']);
  });
});

describe('after an orderly end', () => {
  test('nothing is read but names', () => {
    const disk = new MemoryDisk();
    const log = openLog(disk);
    for (let i = 0; i < 10; i++) log.appendAsLeader(produced(1, i), 2);
    log.close();
    const file = disk.open(FIRST_LOG, 'existing');
    const first = Buffer.alloc(100);
    file.readSync(first, 0);
    // Whoever looked into the file would see that this is no batch.
    file.writeSync(Buffer.alloc(100), 0);
    const again = openLog(disk, { clean: true, recoveryPoint: 10 });
    expect([again.logEndOffset, again.recoveryPoint, again.latestEpoch]).toEqual([10, 10, 2]);
    expect(() => again.appendAsLeader(produced(1, 10), 2)).toThrow(`${FIRST_LOG} is damaged at byte 0`);
    file.writeSync(first, 0);
    expect(again.appendAsLeader(produced(1, 10), 2).firstOffset).toBe(10);
  });

  test('the log end is looked for where the checkpoint does not say it', () => {
    const disk = new MemoryDisk();
    const config = { indexIntervalBytes: 100 };
    const log = openLog(disk, { config });
    for (let i = 0; i < 50; i++) log.appendAsLeader(batch(2), 0);
    log.close();
    expect(openLog(disk, { clean: true, config }).logEndOffset).toBe(100);
  });

  test('indexes that are missing or damaged are made again when they are needed', () => {
    for (const damage of ['remove', 'zero', 'odd'] as const) {
      const disk = new MemoryDisk();
      const config = { indexIntervalBytes: 4096 };
      const log = openLog(disk, { config });
      for (let i = 0; i < 300; i++) log.appendAsLeader(batch(1, { valueBytes: 100, timestamp: i }), 0);
      const bytes = readAll(log);
      log.close();
      for (const suffix of ['.index', '.timeindex']) {
        const path = FIRST_LOG.replace('.log', suffix);
        if (damage === 'remove') disk.remove(path);
        else if (damage === 'zero') disk.writeFile(path, Buffer.alloc(120));
        else disk.writeFile(path, Buffer.alloc(7));
      }
      const again = openLog(disk, { clean: true, recoveryPoint: 300, config });
      expect(again.read(250, 1000, { upTo: 300, minOneBatch: true }).records.readBigInt64BE(0)).toBe(250n);
      expect(again.offsetForTimestamp(120)).toEqual({ timestampMs: 120, offset: 120, leaderEpoch: 0 });
      expect(readAll(again).equals(bytes)).toBe(true);
      again.appendAsLeader(batch(1), 0);
      again.close();
      checkIndexFiles(disk, '/data/t-0');
    }
  });

  test('a log that has nothing but a name goes on at its offset', () => {
    const disk = new MemoryDisk();
    const log = openLog(disk);
    log.truncateFullyAndStartAt(42);
    log.close();
    const again = openLog(disk, { clean: true, recoveryPoint: 42 });
    expect([again.logStartOffset, again.logEndOffset]).toEqual([42, 42]);
  });

  test('a log whose files end before its log start begins there anew', () => {
    const disk = diskWith([batch(3)]);
    const log = openLog(disk, { logStartOffset: 10 });
    expect([log.logStartOffset, log.logEndOffset, log.sizeBytes]).toEqual([10, 10, 0]);
    expect(log.appendAsLeader(batch(1), 0).firstOffset).toBe(10);
  });
});

describe('damage below the recovery point', () => {
  const config = { segmentBytes: 300, indexIntervalBytes: 100 };

  /** Twelve batches in several segments, synced, not closed; the paths of the segments. */
  function synced(): { disk: MemoryDisk; paths: string[]; files: () => string[] } {
    const disk = new MemoryDisk();
    const log = openLog(disk, { config });
    for (let i = 0; i < 12; i++) log.appendAsLeader(batch(1, { valueBytes: 60 }), 0);
    log.flushSync();
    const paths = log.segments.map((segment) => segment.log.path);
    log.abandon();
    const files = () => disk.list('/data/t-0').map((name) => `${name} ${disk.readFile(`/data/t-0/${name}`)?.length}`);
    return { disk, paths, files };
  }

  const lastOf = (paths: string[]): string => paths[paths.length - 1];

  test('in the last segment fails the opening, says where, and cuts nothing', () => {
    for (const at of [8, 16, 17, 21, 70]) {
      const { disk, paths } = synced();
      const path = lastOf(paths);
      const bytes = disk.readFile(path) as Buffer;
      disk.open(path, 'existing').writeSync(Buffer.from([bytes[at] ^ 1]), at);
      const damaged = disk.readFile(path);
      expect(() => openLog(disk, { config, recoveryPoint: 12 })).toThrow(`${path} is damaged at byte 0: `);
      expect(disk.readFile(path)).toEqual(damaged);
      disk.open(path, 'existing').writeSync(bytes, 0);
      expect(openLog(disk, { config, recoveryPoint: 12 }).logEndOffset).toBe(12);
    }
  });

  test.each(['killed', 'clean'])('is found where a file is too short or missing (%s)', (end) => {
    const clean = end === 'clean';
    const open = (disk: MemoryDisk): Log => openLog(disk, { config, recoveryPoint: 12, clean });
    const short = synced();
    const path = lastOf(short.paths);
    cutFile(short.disk, path, 0);
    expect(() => open(short.disk).appendAsLeader(batch(1), 0)).toThrow(`${path} is damaged at byte 0: `);
    const missing = synced();
    missing.disk.remove(missing.paths[2]);
    expect(() => open(missing.disk)).toThrow(`${missing.paths[2]} is damaged at byte 0: the file is missing`);
    const empty = synced();
    for (const file of empty.paths) empty.disk.remove(file);
    expect(() => open(empty.disk)).toThrow('00000000000000000000.log is damaged at byte 0: ');
  });

  test('in an older segment is met by who reads there', () => {
    const { disk, paths } = synced();
    const size = disk.readFile(paths[1])?.length as number;
    cutFile(disk, paths[1], size - 1);
    const log = openLog(disk, { config, recoveryPoint: 12 });
    expect(log.logEndOffset).toBe(12);
    const offset = log.segments[1].baseOffset;
    const read = (from: number) => log.read(from, 1000, { upTo: 12, minOneBatch: true }).records.readBigInt64BE(0);
    expect(() => read(offset)).toThrow(`${paths[1]} is damaged at byte `);
    expect(read(0)).toBe(0n);
    expect(read(log.segments[2].baseOffset)).toBe(BigInt(log.segments[2].baseOffset));
  });

  test('is none where all of it was deleted', () => {
    const { disk, paths } = synced();
    cutFile(disk, lastOf(paths), 0);
    expect(openLog(disk, { config, recoveryPoint: 12, logStartOffset: 12 }).logEndOffset).toBe(12);
  });
});

test('segments that do not begin where the one before ends are cut off above the recovery point', () => {
  const config = { segmentBytes: 300, indexIntervalBytes: 100 };
  const disk = new MemoryDisk();
  const log = openLog(disk, { config });
  for (let i = 0; i < 12; i++) log.appendAsLeader(batch(1, { valueBytes: 60 }), 0);
  const [, second, third] = log.segments;
  const { path } = second.log;
  log.abandon();
  cutFile(disk, path, 0);
  expect(openLog(disk, { config, recoveryPoint: second.baseOffset }).logEndOffset).toBe(second.baseOffset);
  expect(disk.exists(third.log.path)).toBe(false);
});

test('an index that leads astray is made anew', () => {
  const config = { indexIntervalBytes: 100 };
  const disk = new MemoryDisk();
  const log = openLog(disk, { config });
  for (let i = 0; i < 50; i++) log.appendAsLeader(batch(1, { valueBytes: 60 }), 0);
  log.close();
  const index = disk.open(FIRST_LOG.replace('.log', '.index'), 'existing');
  const entry = Buffer.alloc(8);
  index.readSync(entry, 8 * 8);
  entry.writeInt32BE(2, 0);
  index.writeSync(entry, 8 * 8);
  const again = openLog(disk, { config, clean: true, recoveryPoint: 50 });
  for (let offset = 0; offset < 50; offset++) {
    const { records } = again.read(offset, 1, { upTo: 50, minOneBatch: true });
    expect(records.readBigInt64BE(0)).toBe(BigInt(offset));
  }
});

test('a log that goes on after a failed sync writes what it checks once more', () => {
  const disk = diskWith([batch(2), batch(3)]);
  const written: number[] = [];
  const open = disk.open.bind(disk);
  disk.open = (path, mode) => {
    const file = open(path, mode);
    if (path !== FIRST_LOG) return file;
    return Object.assign(file, {
      writeSync: (data: Uint8Array, position: number) => void written.push(position, data.length),
    });
  };
  const log = openLog(disk, { rewrite: true });
  expect(written).toEqual([0, log.sizeBytes]);
});

test('a log that goes on after a failed sync has its indexes on disk with the next one', async () => {
  const config = { segmentBytes: 500, indexIntervalBytes: 100 };
  for (let seed = 0; seed < 30; seed++) {
    const disk = new FaultyDisk(new SeededRandom(seed));
    disk.makeDir('/data');
    disk.syncDir('/');
    const log = openLog(disk, { config });
    // With the flush that the roll begins, that of the first segment's offset index: of its files the .log comes before.
    disk.failAfter.sync = 1;
    while (log.segments.length < 2) log.appendAsLeader(batch(), 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.failure?.message).toContain('.index: sync failed');
    log.abandon();
    openLog(disk, { config, rewrite: true }).flushSync();
    const index = (): Buffer | null => disk.readFile('/data/t-0/00000000000000000000.index');
    const before = index();
    disk.powerCut();
    expect(index()).toEqual(before);
  }
});
