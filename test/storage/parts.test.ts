/** The parts of a log that have a meaning of their own. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenMode } from '../../storage/disk.ts';
import { FilePool, PooledFile } from '../../storage/file-pool.ts';
import { DiskError, type DiskFile, MemoryDisk } from '../../storage/index.ts';
import { OffsetIndex } from '../../storage/offset-index.ts';
import { Tail, TailBudget } from '../../storage/tail.ts';
import { TimeIndex } from '../../storage/time-index.ts';
import { batch, openLog, readAll } from './batches.ts';

function newFile(maxOpen = 4): PooledFile {
  const disk = new MemoryDisk();
  disk.makeDir('/d');
  return new PooledFile(new FilePool(disk, maxOpen), '/d/index', false);
}

describe('an offset index', () => {
  test('finds the last entry at or below an offset, in the file and in memory', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3000, size: 'max' });
    fc.assert(
      fc.property(gaps, fc.nat({ max: 3000 }), fc.nat({ max: 3000 }), (steps, writeAt, cutAt) => {
        const index = new OffsetIndex(newFile(), 100);
        const offsets: number[] = [];
        let offset = 100;
        for (const [i, step] of steps.entries()) {
          offset += step;
          offsets.push(offset);
          index.append(offset, offset * 10);
          if (i === writeAt) index.entries.writePending();
        }
        const check = (): void => {
          for (let target = 99; target < offset + 3; target += 7) {
            const floor = offsets.findLast((candidate) => candidate <= target);
            expect(index.lookup(target)).toBe(floor === undefined ? 0 : floor * 10);
          }
          expect(index.lastPosition()).toBe((offsets.at(-1) ?? 0) * 10);
        };
        check();
        index.truncateTo(100 + cutAt);
        while (offsets.length > 0 && offsets[offsets.length - 1] >= 100 + cutAt) offsets.pop();
        check();
        index.append(offset + 1, (offset + 1) * 10);
        offsets.push(offset + 1);
        index.entries.release();
        check();
      }),
      { numRuns: 30 },
    );
  });

  test('that is made anew leaves in its file what it has now, and nothing else', () => {
    const entries = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 1500, size: 'max' });
    fc.assert(
      fc.property(entries, entries, (before, after) => {
        const file = newFile();
        const index = new OffsetIndex(file, 0);
        const fill = (steps: readonly number[]): void => {
          let offset = 0;
          for (const step of steps) {
            offset += step;
            index.append(offset, offset);
          }
          index.entries.release();
        };
        fill(before);
        index.entries.reset();
        // The same ones, fewer, more, or others.
        for (const steps of [before, before.slice(0, after.length), [...before, ...after], after]) {
          fill(steps);
          expect(file.handle.sizeBytes()).toBe(steps.length * 8);
          const again = new OffsetIndex(file, 0);
          expect(again.lastOffset()).toBe(steps.reduce((sum, step) => sum + step, 0));
          expect(again.lookup(steps[0] ?? 0)).toBe(steps[0] ?? 0);
          index.entries.reset();
        }
      }),
      { numRuns: 30 },
    );
  });

  test('that is made anew as it was is not written', () => {
    const file = newFile();
    const index = new OffsetIndex(file, 0);
    for (let i = 1; i < 10; i++) index.append(i, i);
    index.entries.release();
    index.entries.reset();
    for (let i = 1; i < 10; i++) index.append(i, i);
    const { handle } = file;
    handle.writeSync = handle.truncateSync = () => expect.fail('written');
    index.entries.release();
    expect(index.lastOffset()).toBe(9);
  });
});

describe('a time index', () => {
  test('only rises', () => {
    const index = new TimeIndex(newFile(), 10);
    expect([index.lastTimestamp, index.lastOffset, index.lookup(5)]).toEqual([-1, 10, 10]);
    index.maybeAppend(100, 12);
    index.maybeAppend(100, 14);
    index.maybeAppend(90, 15);
    index.maybeAppend(200, 20);
    expect(index.entries.count).toBe(2);
    expect([50, 100, 199, 200, 900].map((timestamp) => index.lookup(timestamp))).toEqual([10, 12, 12, 20, 20]);
    index.truncateTo(20);
    expect([index.lastTimestamp, index.lastOffset]).toEqual([100, 12]);
    index.maybeAppend(150, 21);
    expect(index.lookup(151)).toBe(21);
  });
});

describe('the pool of files', () => {
  test('keeps so many open, and opens again what it has closed', () => {
    const disk = new MemoryDisk();
    disk.makeDir('/d');
    const pool = new FilePool(disk, 3);
    const files = Array.from({ length: 10 }, (_, i) => new PooledFile(pool, `/d/${i}`, false));
    for (let round = 0; round < 3; round++) {
      for (const [i, file] of files.entries()) {
        file.handle.writeSync(Buffer.from([i]), round);
        expect(pool.openCount).toBeLessThanOrEqual(3);
      }
    }
    for (const [i, file] of files.entries())
      expect(disk.readFile(file.path)?.equals(Buffer.from([i, i, i]))).toBe(true);
    for (const file of files) file.close();
    expect(pool.openCount).toBe(0);
    files[0].handle;
    files[0].remove();
    expect([pool.openCount, disk.exists('/d/0'), files[0].exists]).toEqual([0, false, false]);
  });

  test('gives descriptors back when the process has run out of them', () => {
    let free = 40;
    class ShortDisk extends MemoryDisk {
      override open(path: string, mode: OpenMode): DiskFile {
        if (free === 0) throw new DiskError('TOO_MANY_FILES', path, 'EMFILE');
        free -= 1;
        const file = super.open(path, mode);
        const close = file.close.bind(file);
        file.close = () => {
          free += 1;
          close();
        };
        return file;
      }
    }
    const pool = new FilePool(new ShortDisk(), 100);
    const files = Array.from({ length: 50 }, (_, i) => new PooledFile(pool, `/${i}`, false));
    for (const { handle } of files.slice(0, 40)) expect(handle).toBeDefined();
    expect([free, pool.openCount]).toEqual([0, 40]);
    expect(files[40].handle).toBeDefined();
    expect([free, pool.openCount]).toEqual([31, 9]);
    // Sockets have taken the rest, and the pool's own are all given back for one.
    free = 0;
    for (const { handle } of files.slice(41)) expect(handle).toBeDefined();
    for (const file of files) file.close();
    free = 0;
    expect(() => files[0].handle).toThrow(DiskError);
  });

  test('closes what was not used lately first', () => {
    const disk = new MemoryDisk();
    const pool = new FilePool(disk, 2);
    const closed: string[] = [];
    const files = ['/a', '/b', '/c'].map((path) => new PooledFile(pool, path, false));
    for (const file of files) {
      const evict = file.evict.bind(file);
      file.evict = () => {
        closed.push(file.path);
        evict();
      };
    }
    files[0].handle;
    files[1].handle;
    files[1].takeSecondChance();
    files[0].handle;
    files[2].handle;
    expect(closed).toEqual(['/b']);
  });
});

describe('a tail', () => {
  const bytes = (size: number, fill: string): Buffer => Buffer.alloc(size, fill);

  test('keeps nothing that nobody wants', () => {
    const budget = new TailBudget(1_000_000);
    const tail = new Tail(budget);
    tail.append(bytes(100, 'a'), 0);
    expect([tail.slice(0, 100), budget.usedBytes]).toEqual([null, 0]);
    tail.want();
    tail.append(bytes(100, 'b'), 100);
    expect([tail.slice(100, 200)?.toString(), tail.slice(0, 200)]).toEqual(['b'.repeat(100), null]);
    for (let at = 200; at < 400_000; at += 1000) tail.append(bytes(1000, 'c'), at);
    expect(budget.usedBytes).toBe(0);
  });

  test('is given up for an append that is large, and begins again behind it', () => {
    const tail = new Tail(new TailBudget(1_000_000));
    tail.want();
    tail.append(bytes(100, 'a'), 0);
    tail.append(bytes(100_000, 'b'), 100);
    expect([tail.slice(0, 100), tail.slice(100, 100_100)]).toEqual([null, null]);
    tail.append(bytes(100, 'c'), 100_100);
    expect(tail.slice(100_100, 100_200)?.length).toBe(100);
  });

  test('stays within the memory of all, the one that grew last losing last', () => {
    const budget = new TailBudget(20_000);
    const tails = Array.from({ length: 10 }, () => new Tail(budget));
    for (const tail of tails) {
      tail.want();
      tail.append(bytes(100, 'a'), 0);
      expect(budget.usedBytes).toBeLessThanOrEqual(20_000);
    }
    expect(tails.map((tail) => tail.slice(0, 100) !== null)).toEqual([...Array(6).fill(false), ...Array(4).fill(true)]);
    for (const tail of tails) tail.clear();
    expect(budget.usedBytes).toBe(0);
  });

  test('hands out slices that nothing changes', () => {
    const tail = new Tail(new TailBudget(8_192));
    tail.want();
    tail.append(bytes(1000, 'a'), 0);
    const kept = tail.slice(0, 1000);
    for (let at = 1000; at < 100_000; at += 1000) {
      tail.want();
      tail.append(bytes(1000, 'b'), at);
    }
    expect(kept?.equals(bytes(1000, 'a'))).toBe(true);
  });
});

describe('an interrupted compaction', () => {
  /** Three segments of two batches; returns the disk and the bytes of the middle one. */
  function threeSegments(): { disk: MemoryDisk; middle: Buffer } {
    const disk = new MemoryDisk();
    const log = openLog(disk, { config: { segmentBytes: 2 * batch(1).length } });
    for (let i = 0; i < 6; i++) log.appendAsLeader(batch(1), 0);
    log.close();
    return { disk, middle: disk.readFile('/data/t-0/00000000000000000002.log') as Buffer };
  }
  const offsets = (disk: MemoryDisk): number[] => {
    const log = openLog(disk, { config: { cleanupPolicy: { delete: false, compact: true } } });
    const bytes = readAll(log);
    const found: number[] = [];
    for (let at = 0; at < bytes.length; at += batch(1).length) found.push(Number(bytes.readBigInt64BE(at)));
    return found;
  };

  test('that had not finished leaves no trace', () => {
    const { disk, middle } = threeSegments();
    disk.writeFile('/data/t-0/00000000000000000002.log.cleaned', middle.subarray(0, 10));
    expect(offsets(disk)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(disk.list('/data/t-0').some((name) => name.endsWith('.cleaned'))).toBe(false);
  });

  test('that had finished takes the place of what it covers', () => {
    const { disk, middle } = threeSegments();
    disk.writeFile('/data/t-0/00000000000000000000.log.swap', middle.subarray(middle.length / 2));
    expect(offsets(disk)).toEqual([3, 4, 5]);
    expect(disk.list('/data/t-0').filter((name) => name.endsWith('.log'))).toEqual([
      '00000000000000000000.log',
      '00000000000000000004.log',
    ]);
  });

  test('in the middle of splitting a segment is undone', () => {
    const { disk, middle } = threeSegments();
    disk.writeFile('/data/t-0/00000000000000000003.log.swap', middle.subarray(0, 10));
    disk.writeFile('/data/t-0/00000000000000000002.log.cleaned', middle.subarray(0, 10));
    expect(offsets(disk)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(disk.list('/data/t-0').some((name) => name.endsWith('.swap'))).toBe(false);
  });
});
