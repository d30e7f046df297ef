import { describe, expect, it } from 'vitest';
import { baseOffset, sizeBytes } from '../../protocol/records/batch.ts';
import { applyControl, type Quorum, staticQuorum } from '../../src/raft/quorum.ts';
import { decodeSnapshot, encodeSnapshot, snapshotIdOf, snapshotName } from '../../src/raft/snapshot-file.ts';
import { type Snapshot, Snapshots, snapshotToBeginAt } from '../../src/raft/snapshots.ts';
import { MemoryDisk } from '../../storage/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { voter } from './voters.ts';

const DIR = '/log';
const dynamic: Quorum = { kraftVersion: 1, voters: [voter(1), voter(2)] };
const goOn = { nowMs: 7, quorum: null, pause: () => Promise.resolve(true) };

function emptyDisk(): MemoryDisk {
  const disk = new MemoryDisk();
  disk.makeDir(DIR);
  return disk;
}

const texts = (values: readonly Buffer[] | undefined) => values?.map(String);
const idAt = (endOffset: number) => ({ endOffset, leaderEpoch: 3 });
const write = (snapshots: Snapshots, endOffset: number, ...values: string[]) =>
  snapshots.write(
    idAt(endOffset),
    values.map((v) => Buffer.from(v)),
    { ...goOn, lastContainedLogTimestampMs: endOffset * 10 },
  );

function load(disk: MemoryDisk, logStartOffset = 0) {
  const snapshots = new Snapshots(disk, DIR);
  const logger = new CollectingLogger();
  const newest = snapshots.load(logStartOffset, logger);
  return { snapshots, newest, warnings: logger.of('warn'), ends: snapshots.all.map((s) => s.endOffset) };
}

function damage(disk: MemoryDisk, endOffset: number, change: (bytes: Buffer) => Buffer): void {
  const path = `${DIR}/${snapshotName(idAt(endOffset))}`;
  disk.writeFile(path, change(disk.readFile(path) as Buffer));
}

describe('a snapshot file', () => {
  it('has end offset and epoch in its name, as Kafka has them', () => {
    const id = { endOffset: 171, leaderEpoch: 12 };
    expect(snapshotName(id)).toBe('00000000000000000171-0000000012.checkpoint');
    expect(snapshotIdOf(snapshotName(id))).toEqual(id);
    expect(snapshotIdOf('bootstrap.checkpoint')).toBeNull();
  });

  it('gives back what went into it', () => {
    const options = { lastContainedLogTimestampMs: 5, leaderEpoch: 3, nowMs: 9, quorum: null };
    const batches = [...encodeSnapshot([Buffer.from('a'), Buffer.from('b')], options)].filter((b) => b !== null);
    expect(batches.length).toBe(3);
    const { values, lastContainedLogTimestampMs } = decodeSnapshot(Buffer.concat(batches));
    expect([texts(values), lastContainedLogTimestampMs]).toEqual([['a', 'b'], 5]);
  });

  it('lets others run after each 1,024 records, and has batches of 8 MiB at the most', () => {
    const values = Array.from({ length: 2500 }, () => Buffer.alloc(8000));
    const options = { lastContainedLogTimestampMs: 5, leaderEpoch: 3, nowMs: 9, quorum: null };
    const parts = [...encodeSnapshot(values, options)];
    const batches = parts.filter((b) => b !== null);
    expect(parts.length - batches.length).toBe(2);
    expect(batches.length).toBe(5);
    for (const b of batches) expect(sizeBytes(b, 0)).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(decodeSnapshot(Buffer.concat(batches)).values.length).toBe(2500);
  });

  it.each<[string, Quorum, string[]]>([
    ['with kraft.version 0 says nothing of the voters', staticQuorum(voter(1)), []],
    ['with kraft.version 1 names the voters behind its header', dynamic, ['kraft-version', 'kraft-voters']],
  ])('%s', (_what, quorum, expected) => {
    const options = { lastContainedLogTimestampMs: 5, leaderEpoch: 3, nowMs: 9, quorum };
    const batches = [...encodeSnapshot([Buffer.from('a')], options)].filter((b) => b !== null);
    const { controls, values } = decodeSnapshot(Buffer.concat(batches));
    expect(controls.map(({ type }) => type)).toEqual(['snapshot-header', ...expected, 'snapshot-footer']);
    expect(texts(values)).toEqual(['a']);
    expect(controls.reduce(applyControl, staticQuorum(voter(1)))).toEqual(quorum);
    expect(batches.map((b) => baseOffset(b, 0))).toEqual([0, 1 + expected.length, 2 + expected.length]);
  });
});

describe('the snapshots in a folder', () => {
  it('are found again, and the newest is read', async () => {
    const disk = emptyDisk();
    const { snapshots } = load(disk);
    await write(snapshots, 10, 'old');
    await write(snapshots, 20, 'a', 'b');
    expect(snapshots.all.map((s) => s.endOffset)).toEqual([10, 20]);
    const again = load(disk);
    expect(again.newest?.id).toEqual(idAt(20));
    expect(texts(again.newest?.content.values)).toEqual(['a', 'b']);
    expect(again.snapshots.all).toEqual(snapshots.all);
  });

  it('are not there while they are written, nor when that is given up', async () => {
    const disk = emptyDisk();
    const { snapshots } = load(disk);
    const many = Array.from({ length: 1024 }, () => Buffer.from('x'));
    let during: string[] = [];
    const isWhole = await snapshots.write(idAt(5), many, {
      lastContainedLogTimestampMs: 0,
      quorum: null,
      nowMs: 7,
      pause: async () => {
        during = disk.list(DIR);
        return false;
      },
    });
    expect([isWhole, during]).toEqual([false, ['00000000000000000005-0000000003.checkpoint.part']]);
    expect([disk.list(DIR), snapshots.all]).toEqual([[], []]);
  });

  it('leave nothing behind when the disk is full', async () => {
    const disk = new MemoryDisk({ capacityBytes: 100 });
    disk.makeDir(DIR);
    await expect(write(new Snapshots(disk, DIR), 5, 'a'.repeat(100))).rejects.toThrow('used up');
    expect(disk.list(DIR)).toEqual([]);
  });

  it('are cleared of what is not finished, given up, or older than the log', async () => {
    const disk = emptyDisk();
    const { snapshots } = load(disk);
    await write(snapshots, 10, 'old');
    await write(snapshots, 20, 'new');
    disk.writeFile(`${DIR}/00000000000000000030-0000000003-123456.checkpoint.part`, 'x');
    disk.writeFile(`${DIR}/00000000000000000005-0000000003.checkpoint.deleted`, 'x');
    expect(load(disk, 11).ends).toEqual([20]);
    expect(disk.list(DIR)).toEqual([snapshotName(idAt(20))]);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['a flipped bit', (bytes) => bytes.fill(bytes[100] ^ 1, 100, 101)],
    ['the end missing', (bytes) => bytes.subarray(0, bytes.length - 1)],
    ['no footer', (bytes) => bytes.subarray(0, bytes.length - 75)],
    ['no header', (bytes) => bytes.subarray(83)],
    ['nothing in it', () => Buffer.alloc(0)],
  ])('count only when they are whole: not with %s', async (_what, change) => {
    const disk = emptyDisk();
    const { snapshots } = load(disk);
    await write(snapshots, 10, 'old');
    await write(snapshots, 20, 'new');
    damage(disk, 20, change);
    const again = load(disk);
    expect([again.newest?.id.endOffset, again.ends]).toEqual([10, [10]]);
    expect(again.warnings).toEqual(['a damaged snapshot of the metadata is left aside']);
  });
});

describe('the log may begin at a later snapshot', () => {
  const NO_LIMIT = { retentionBytes: -1, retentionMs: -1 };
  const snapshot = (endOffset: number): Snapshot => ({
    endOffset,
    leaderEpoch: 1,
    sizeBytes: 100,
    lastContainedLogTimestampMs: endOffset,
  });
  const two = [snapshot(10), snapshot(20)];

  it.each([
    ['the newest one stays, whatever the limits', [snapshot(10)], 1000, { retentionBytes: 0, retentionMs: 0 }, null],
    ['there are no limits', two, 1000, NO_LIMIT, null],
    ['all together are within the limit', two, 300, { retentionBytes: 500, retentionMs: -1 }, null],
    ['all together are too large', two, 301, { retentionBytes: 500, retentionMs: -1 }, 20],
    ['the oldest is not too old', two, 0, { retentionBytes: -1, retentionMs: 90 }, null],
    ['the oldest is too old', two, 0, { retentionBytes: -1, retentionMs: 89 }, 20],
  ])('%s', (_what, snapshots, logBytes, retention, expected) => {
    expect(snapshotToBeginAt(snapshots, logBytes, retention, 100)?.endOffset ?? null).toBe(expected);
  });
});
