/** What is checked before logs are opened. A flipped bit shows whether a file was looked at once more. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkFile } from '../../storage/checked-files.ts';
import { checkInThreads, LogDir } from '../../storage/index.ts';
import { FaultyDisk } from '../sim/faulty-disk.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { batch, TestClock, testConfig } from './batches.ts';

const ID = 'aaaaaaaaaaaaaaaaaaaaaa';
const SIZE = batch(1).length;
const fileOf = (offset: number): string => `/data/t-0/${String(offset).padStart(20, '0')}.log`;

const openDir = (disk: FaultyDisk): LogDir =>
  LogDir.open({ disk, path: '/data', clock: new TestClock(), unique: () => 'u' });
const openLog = (dir: LogDir) =>
  dir.openOrCreate('t', 0, ID, testConfig({ segmentBytes: 10 * SIZE, indexIntervalBytes: 200 }));

/** 45 batches, ten a segment, of which the first 25 were flushed; nobody vouches for the rest. */
async function crashedDisk(): Promise<FaultyDisk> {
  const disk = new FaultyDisk(new SeededRandom(1));
  const dir = openDir(disk);
  const log = openLog(dir);
  for (let i = 0; i < 45; i++) {
    log.appendAsLeader(batch(1), 1);
    if (i === 24) await log.flush();
    if (i === 24) await dir.checkpoint();
  }
  for (const segment of log.segments) for (const { handle } of segment.durableFiles(true)) handle.syncSync();
  disk.syncDir('/data/t-0');
  disk.powerCut();
  return disk;
}

function checkAll(disk: FaultyDisk, dir: LogDir): Map<string, number> {
  const checked = new Map(dir.filesToCheck().map((path) => [path, checkFile(disk, path, Buffer.alloc(500))]));
  dir.filesChecked(checked);
  return checked;
}

const flipValue = (disk: FaultyDisk, path: string, index: number): void =>
  disk.flipBit(path, (index * SIZE + SIZE - 4) * 8);

test('the files from the recovery point on are to be checked, and are not read again where they are sound', async () => {
  const disk = await crashedDisk();
  const dir = openDir(disk);
  const sizes = [fileOf(20), fileOf(30), fileOf(40)].map((path, i) => [path, i < 2 ? 10 * SIZE : 5 * SIZE]);
  expect([...checkAll(disk, dir)]).toEqual(sizes);
  flipValue(disk, fileOf(30), 4);
  const log = openLog(dir);
  expect(log.logEndOffset).toBe(45);
});

test('a log with a file that is not sound is checked as a whole', async () => {
  const disk = await crashedDisk();
  flipValue(disk, fileOf(40), 2);
  const dir = openDir(disk);
  expect([...checkAll(disk, dir).values()]).toEqual([10 * SIZE, 10 * SIZE, -1]);
  flipValue(disk, fileOf(30), 4);
  expect(openLog(dir).logEndOffset).toBe(34);
});

test('a file that has another size than the one that was checked is checked again', async () => {
  const disk = await crashedDisk();
  const dir = openDir(disk);
  checkAll(disk, dir);
  flipValue(disk, fileOf(30), 4);
  disk.open(fileOf(40), 'existing').truncateSync(4 * SIZE);
  expect(openLog(dir).logEndOffset).toBe(34);
});

test('nothing is to be checked where files are about to change places, and after an orderly end', async () => {
  const swapping = await crashedDisk();
  swapping.writeFile(`${fileOf(30)}.swap`, '');
  expect(openDir(swapping).filesToCheck()).toEqual([]);
  const disk = new FaultyDisk(new SeededRandom(1));
  const dir = openDir(disk);
  openLog(dir).appendAsLeader(batch(1), 1);
  await dir.close();
  expect(openDir(disk).filesToCheck()).toEqual([]);
});

test('threads find out the same', async () => {
  const root = mkdtempSync(join(tmpdir(), 'odradek-threads-'));
  try {
    mkdirSync(join(root, 't-0'));
    const sound = Buffer.concat(Array.from({ length: 50 }, () => batch(3)));
    const flipped = Buffer.from(sound);
    flipped[flipped.length - 5] ^= 1;
    const contents = { sound, flipped, torn: sound.subarray(0, -1), empty: Buffer.alloc(0) };
    const paths = Object.keys(contents).map((name) => join(root, name));
    for (const [name, content] of Object.entries(contents)) writeFileSync(join(root, name), content);
    const checked = await checkInThreads([...paths, join(root, 'missing')], 3);
    expect([...checked]).toEqual([[paths[0], sound.length]]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
