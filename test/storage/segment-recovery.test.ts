import { expect, test } from 'vitest';
import { checkFile } from '../../storage/checked-files.ts';
import { type Log, type LogOptions, MemoryDisk } from '../../storage/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { batch, checkIndexFiles, framesOf, openLog } from './batches.ts';

const FIRST_LOG = '/data/t-0/00000000000000000000.log';
/** What a recovery reads at a time. */
const WINDOW_BYTES = 262_144;

/** More than one window of small batches, one batch that is larger than a window, and some that are read one by one. */
function manyBatches(random: SeededRandom): Buffer[] {
  const small = Array.from({ length: 300 }, (_, i) =>
    batch(1, { producerId: 1, producerEpoch: 0, baseSequence: i, valueBytes: random.int(2000) }),
  );
  const large = [
    batch(2, { valueBytes: WINDOW_BYTES }),
    batch(1, { valueBytes: 20_000 }),
    batch(3, { valueBytes: 9000 }),
  ];
  return [...small, ...large, ...Array.from({ length: 20 }, () => batch(1 + random.int(3)))];
}

function filled(batches: readonly Buffer[]): MemoryDisk {
  const disk = new MemoryDisk();
  const log = openLog(disk);
  for (const bytes of batches) log.appendAsLeader(Buffer.from(bytes), 0);
  log.abandon();
  return disk;
}

/** The log's one file, checked in advance. */
const inAdvance = (disk: MemoryDisk): Pick<LogOptions, 'checkedFiles'> => ({
  checkedFiles: new Map([[FIRST_LOG, checkFile(disk, FIRST_LOG, Buffer.alloc(WINDOW_BYTES))]]),
});

function withIndexes(disk: MemoryDisk, options: Pick<LogOptions, 'vouched' | 'checkedFiles'>): Log {
  const log = openLog(disk, options);
  checkIndexFiles(disk, '/data/t-0');
  return log;
}

test('a log of many windows is found as it was, by all of it or by its headers, checked in advance or not', () => {
  const batches = manyBatches(new SeededRandom(1));
  const disk = filled(batches);
  for (const options of [{}, { vouched: true }, inAdvance(disk)]) {
    const log = withIndexes(disk, options);
    expect(log.sizeBytes).toBe(batches.reduce((sum, bytes) => sum + bytes.length, 0));
    expect(log.producers()[0]).toMatchObject({ producerId: 1, lastSequence: 299 });
    log.abandon();
  }
});

test('a byte that has changed anywhere is found, and the log is cut there', () => {
  const random = new SeededRandom(2);
  const batches = manyBatches(random);
  const frames = framesOf(filled(batches).readFile(FIRST_LOG) as Buffer);
  // Each is the end of what is left for the next one.
  const disk = filled(batches);
  expect([...(inAdvance(disk).checkedFiles as Map<string, number>).values()]).toEqual([
    disk.open(FIRST_LOG, 'existing').sizeBytes(),
  ]);
  for (let i = frames.length - 1; i > 0; i -= 1 + random.int(12)) {
    const { at, size, base } = frames[i];
    const place = at + 16 + random.int(size - 16);
    const file = disk.open(FIRST_LOG, 'existing');
    const byte = Buffer.alloc(1);
    file.readSync(byte, place);
    file.writeSync(Buffer.from([byte[0] ^ (1 << random.int(8))]), place);
    expect([...(inAdvance(disk).checkedFiles as Map<string, number>).values()]).toEqual([-1]);
    const log = withIndexes(disk, inAdvance(disk));
    expect([log.logEndOffset, log.sizeBytes]).toEqual([base, at]);
    log.abandon();
  }
});
