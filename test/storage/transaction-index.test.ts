import { describe, expect, test } from 'vitest';
import { type Log, MemoryDisk } from '../../storage/index.ts';
import { batch, marker, openLog, produced } from './batches.ts';

const DIR = '/data/t-0';
const ENTRY_BYTES = 34;
const SEGMENT_BYTES = 700;

/** Appends an aborted transaction of two batches, and one that is committed: six records with their markers. */
function transactions(log: Log, round: number): void {
  const sequence = round * 4;
  for (const [commit, first] of [
    [false, sequence],
    [true, sequence + 2],
  ] as const) {
    log.appendAsLeader(produced(7, first, { transactional: true }), 0);
    log.appendAsLeader(produced(7, first + 1, { transactional: true }), 0);
    log.appendAsLeader(marker(7, commit), 0, 'coordinator');
  }
}

/** A log of several segments, closed in an orderly way: what was aborted in it, and the index files. */
function closedLog() {
  const disk = new MemoryDisk();
  const log = openLog(disk, { config: { segmentBytes: SEGMENT_BYTES, indexIntervalBytes: 100 } });
  for (let round = 0; round < 6; round++) transactions(log, round);
  log.onHighWatermark(log.logEndOffset);
  const aborted = log.abortedTransactions(0, log.logEndOffset);
  const { logEndOffset } = log;
  log.close();
  const files = disk
    .list(DIR)
    .filter((name) => name.endsWith('.txnindex'))
    .map((name) => `${DIR}/${name}`);
  return { disk, aborted, files, logEndOffset };
}

type Closed = ReturnType<typeof closedLog>;

const reopen = ({ disk, logEndOffset }: Closed, options: Parameters<typeof openLog>[1] = {}): Log =>
  openLog(disk, { clean: true, recoveryPoint: logEndOffset, config: { segmentBytes: SEGMENT_BYTES }, ...options });

const content = (disk: MemoryDisk, path: string): Buffer => disk.readFile(path) as Buffer;

/** A copy of the file with one int64 of its last entry changed. */
function withField(bytes: Buffer, at: number, value: bigint): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeBigInt64BE(value, changed.length - ENTRY_BYTES + at);
  return changed;
}

describe('a transaction index found after an orderly end', () => {
  test('is believed where it can be right, and not written', () => {
    const closed = closedLog();
    const before = closed.files.map((path) => content(closed.disk, path));
    expect(closed.files.length).toBeGreaterThan(2);
    const log = reopen(closed);
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual(closed.aborted);
    expect(closed.files.map((path) => content(closed.disk, path))).toEqual(before);
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['with zeros in it', (bytes) => Buffer.alloc(bytes.length)],
    ['with garbage in it', () => Buffer.alloc(340, 0x5a)],
    ['cut within an entry', (bytes) => bytes.subarray(0, 20)],
    ['of another version', (bytes) => Buffer.concat([Buffer.from([0, 1]), bytes.subarray(2)])],
    ['with an entry twice', (bytes) => Buffer.concat([bytes, bytes.subarray(-ENTRY_BYTES)])],
    ['with a producer that cannot be', (bytes) => withField(bytes, 2, -5n)],
    ['with a transaction that ends before it begins', (bytes) => withField(bytes, 10, 1_000n)],
    ['with a marker before the segment', (bytes) => withField(bytes, 18, -1n)],
    ['with a marker behind the segment', (bytes) => withField(bytes, 18, 1_000_000n)],
    ['that is stable beyond its marker', (bytes) => withField(bytes, 26, 1_000_000n)],
  ])('%s is made anew', (_what, damage) => {
    for (const path of closedLog().files) {
      const closed = closedLog();
      const before = content(closed.disk, path);
      closed.disk.writeFile(path, damage(before));
      const log = reopen(closed);
      expect(log.abortedTransactions(0, log.logEndOffset)).toEqual(closed.aborted);
      expect(content(closed.disk, path).equals(before)).toBe(true);
    }
  });

  test('is made anew where it is gone with another index of its segment', () => {
    const closed = closedLog();
    const before = closed.files.map((path) => content(closed.disk, path));
    for (const path of closed.files) {
      closed.disk.remove(path);
      closed.disk.remove(path.replace('txnindex', 'index'));
    }
    const log = reopen(closed);
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual(closed.aborted);
    expect(closed.files.map((path) => content(closed.disk, path))).toEqual(before);
  });

  test('is made anew below the recovery point after a crash, too', () => {
    const closed = closedLog();
    closed.disk.writeFile(closed.files[0], Buffer.alloc(ENTRY_BYTES));
    const log = reopen(closed, { clean: false });
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual(closed.aborted);
  });

  test('goes on with what is appended and truncated before anybody has read it', () => {
    const closed = closedLog();
    const last = closed.files[closed.files.length - 1];
    closed.disk.writeFile(last, Buffer.alloc(20));
    const log = reopen(closed);
    transactions(log, 6);
    const begun = { producerId: 7, firstOffset: closed.logEndOffset };
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual([...closed.aborted, begun]);
    log.close();
    closed.disk.writeFile(last, Buffer.alloc(20));
    const again = reopen({ ...closed, logEndOffset: log.logEndOffset });
    again.truncateTo(closed.logEndOffset);
    expect(again.abortedTransactions(0, again.logEndOffset)).toEqual(closed.aborted);
  });

  test('is not made from batches that are damaged themselves', () => {
    const closed = closedLog();
    const [path] = closed.files;
    closed.disk.writeFile(path, Buffer.alloc(ENTRY_BYTES));
    const file = closed.disk.open(path.replace('txnindex', 'log'), 'existing');
    // A byte of the first marker's record.
    file.writeSync(Buffer.from('!'), 2 * batchBytes() + 75);
    const log = reopen(closed);
    expect(() => log.abortedTransactions(0, log.logEndOffset)).toThrow(
      'the CRC-32C of the record batch does not match',
    );
    expect(content(closed.disk, path).equals(Buffer.alloc(ENTRY_BYTES))).toBe(true);
  });
});

const batchBytes = (): number => produced(7, 0, { transactional: true }).length;

test('a log without transactions has no transaction index, with or without the others', () => {
  const disk = new MemoryDisk();
  const log = openLog(disk);
  log.appendAsLeader(batch(3), 0);
  log.close();
  for (const name of disk.list(DIR)) if (name.endsWith('index')) disk.remove(`${DIR}/${name}`);
  const again = openLog(disk, { clean: true, recoveryPoint: 3 });
  expect(again.abortedTransactions(0, 3)).toEqual([]);
  again.close();
  expect(disk.list(DIR).filter((name) => name.endsWith('txnindex'))).toEqual([]);
});
