import { beforeEach, describe, expect, it } from 'vitest';
import { GroupCommit } from '../../src/partition/group-commit.ts';
import { type DiskFile, type Log, MemoryDisk } from '../../storage/index.ts';
import { batch, openLog } from '../storage/batches.ts';

/** A disk whose fdatasync of a .log file ends when told. */
class GatedDisk extends MemoryDisk {
  readonly syncing: { end(): void; fail(): void }[] = [];

  override open(path: string, mode: 'existing' | 'create'): DiskFile {
    const file = super.open(path, mode);
    if (!path.endsWith('.log')) return file;
    const sync = () =>
      new Promise<void>((resolve, reject) => {
        this.syncing.push({ end: resolve, fail: () => reject(new Error('the disk is broken')) });
      });
    return new Proxy(file, {
      get: (target, name) => {
        if (name === 'sync') return sync;
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

describe('the high watermark under flush.messages', () => {
  let disk: GatedDisk;
  let log: Log;
  let commits: GroupCommit;
  let advances: number[];

  function open(flushMessages: number): void {
    disk = new GatedDisk();
    log = openLog(disk, { config: { flushMessages } });
    advances = [];
    commits = new GroupCommit(log, () => advances.push(commits.highWatermark));
  }

  /** Gives whether the records count already. */
  function append(count = 1): boolean {
    return commits.appended(log.appendAsLeader(batch(count), 0).firstOffset);
  }

  beforeEach(() => open(1));

  it('waits for the flush, and the appends that come meanwhile share the next one', async () => {
    const order: string[] = [];
    expect(append()).toBe(false);
    commits.whenCommitted(1)?.then(() => order.push('first'));
    for (let i = 0; i < 10; i++) {
      expect(append(2)).toBe(false);
      commits.whenCommitted(log.logEndOffset)?.then(() => order.push(`later ${i}`));
    }
    expect([disk.syncing.length, commits.highWatermark]).toEqual([1, 0]);
    disk.syncing[0].end();
    await soon();
    expect([order, commits.highWatermark, disk.syncing.length]).toEqual([['first'], 1, 2]);
    disk.syncing[1].end();
    await soon();
    expect([order.length, commits.highWatermark, disk.syncing.length]).toEqual([11, 21, 2]);
    expect(advances).toEqual([1, 21]);
    expect(commits.whenCommitted(21)).toBeNull();
  });

  it('of more than one lets records count until so many are not on disk', async () => {
    open(3);
    expect([append(), append(), commits.highWatermark]).toEqual([true, true, 2]);
    expect([append(), commits.highWatermark]).toEqual([false, 2]);
    expect([append(), commits.highWatermark]).toEqual([false, 2]);
    disk.syncing[0].end();
    await soon();
    // the fourth came too late for the flush, and alone is no reason for another
    expect([commits.highWatermark, disk.syncing.length, log.recoveryPoint]).toEqual([4, 1, 3]);
  });

  it('refuses those who wait when the flush fails, and what comes after', async () => {
    append();
    const committed = commits.whenCommitted(1);
    disk.syncing[0].fail();
    await expect(committed).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    expect(() => append()).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }));
    expect(commits.highWatermark).toBe(0);
  });

  it('is the log end without it', () => {
    open(Number.MAX_SAFE_INTEGER);
    expect([append(5), commits.highWatermark, commits.whenCommitted(5), disk.syncing.length]).toEqual([
      true,
      5,
      null,
      0,
    ]);
  });
});
