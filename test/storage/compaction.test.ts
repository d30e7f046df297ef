import { expect, test } from 'vitest';
import * as header from '../../protocol/records/batch.ts';
import { CompressionType } from '../../protocol/records/batch.ts';
import { KeyHasher } from '../../storage/compaction/key-hash.ts';
import { OffsetMap } from '../../storage/compaction/offset-map.ts';
import { Pacer } from '../../storage/compaction/pacer.ts';
import { CompactionAborted } from '../../storage/compaction/worker.ts';
import { type Log, type LogConfig, MemoryDisk } from '../../storage/index.ts';
import { checkIndexFiles, framesOf, marker, openLog, readAll } from './batches.ts';
import { compact, contentOf, type Entry, keptRecords, keyed, roll, SECRET } from './compaction-helpers.ts';

const CONFIG = { cleanupPolicy: { delete: false, compact: true }, indexIntervalBytes: 100, deleteRetentionMs: 500 };

function compactedLog(config: Partial<LogConfig> = {}): { disk: MemoryDisk; log: Log } {
  const disk = new MemoryDisk();
  return { disk, log: openLog(disk, { config: { ...CONFIG, ...config } }) };
}

/** Headers of the batches in the log. */
function batchesOf(log: Log) {
  const bytes = readAll(log);
  return framesOf(bytes).map(({ at, base, last, size }) => ({
    base,
    last,
    size,
    count: header.recordCount(bytes, at),
    bits: header.attributes(bytes, at),
    baseTimestamp: header.baseTimestamp(bytes, at),
    maxTimestamp: header.maxTimestamp(bytes, at),
    sequence: header.baseSequence(bytes, at),
    epoch: header.leaderEpoch(bytes, at),
  }));
}

const leftOver = (disk: MemoryDisk, log: Log): string[] =>
  disk.list(log.dir).filter((name) => /cleaned|swap/.test(name));

const numbered = (count: number, value = 'v'): Entry[] => Array.from({ length: count }, (_, i) => [`k${i}`, value]);

test('keeps the newest record of each key, at its offset', async () => {
  const { disk, log } = compactedLog();
  log.appendAsLeader(
    keyed([
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ]),
    0,
  );
  log.appendAsLeader(
    keyed([
      ['b', '2'],
      ['c', '1'],
    ]),
    0,
  );
  roll(log);
  log.appendAsLeader(keyed([['a', '3']]), 0);
  const result = await compact(log, disk);
  expect(contentOf(log)).toEqual(['2:a=2', '3:b=2', '4:c=1', '5:roll=x', '6:a=3']);
  expect(result).toMatchObject({ endOffset: 5, recordsRead: 5, recordsKept: 3, keys: 3 });
  log.close();
  checkIndexFiles(disk, log.dir);
});

test('copies batches that keep all records byte for byte', async () => {
  const { disk, log } = compactedLog();
  for (const type of Object.values(CompressionType)) {
    log.appendAsLeader(
      keyed(
        [
          [`a${type}`, '1'],
          [`b${type}`, '1'],
        ],
        { compression: type },
      ),
      3,
    );
  }
  roll(log);
  const before = readAll(log);
  await compact(log, disk);
  expect(readAll(log).equals(before)).toBe(true);
});

test.each(Object.entries(CompressionType))(
  'a batch that loses records keeps all else (%s)',
  async (_name, compression) => {
    const { disk, log } = compactedLog();
    const entries: Entry[] = [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
      ['c', '1'],
      ['b', '2'],
    ];
    const producer = { producerId: 7, producerEpoch: 2, baseSequence: 5 };
    log.appendAsLeader(keyed(entries, { compression, timestamp: 500, ...producer }), 4);
    log.appendAsLeader(keyed([['b', '3']], { ...producer, baseSequence: 10 }), 4);
    roll(log);
    await compact(log, disk);
    const [batch] = batchesOf(log);
    expect(batch).toMatchObject({
      base: 0,
      last: 4,
      count: 2,
      bits: compression,
      sequence: 5,
      epoch: 4,
      maxTimestamp: 503,
    });
    expect(keptRecords(log).slice(0, 2)).toEqual([
      { offset: 2, key: 'a', value: '2', timestamp: 502 },
      { offset: 3, key: 'c', value: '1', timestamp: 503 },
    ]);
  },
);

test('records of a batch with the time of the append keep that time', async () => {
  const { disk, log } = compactedLog({ messageTimestampType: 'LogAppendTime' });
  log.appendAsLeader(
    keyed(
      [
        ['a', '1'],
        ['b', null],
        ['a', '2'],
      ],
      { timestamp: 5 },
    ),
    0,
  );
  roll(log);
  await compact(log, disk);
  expect(keptRecords(log).slice(0, 2)).toEqual([
    { offset: 1, key: 'b', value: null, timestamp: 1_000_000 },
    { offset: 2, key: 'a', value: '2', timestamp: 1_000_000 },
  ]);
});

test('a tombstone stays until its delete horizon, which the first compaction sets', async () => {
  const { disk, log } = compactedLog();
  log.appendAsLeader(
    keyed([
      ['a', '1'],
      ['b', '1'],
      ['a', null],
    ]),
    0,
  );
  roll(log);
  await compact(log, disk, { nowMs: 10_000 });
  expect(contentOf(log)).toEqual(['1:b=1', '2:a-', '3:roll=x']);
  expect(batchesOf(log)[0]).toMatchObject({
    bits: header.DELETE_HORIZON_BIT,
    baseTimestamp: 10_500,
    maxTimestamp: 1002,
  });
  expect(keptRecords(log).map(({ timestamp }) => timestamp)).toEqual([1001, 1002, 1012]);
  roll(log);
  await compact(log, disk, { from: 3, nowMs: 10_499 });
  expect(contentOf(log).slice(0, 2)).toEqual(['1:b=1', '2:a-']);
  expect(batchesOf(log)[0].baseTimestamp).toBe(10_500);
  roll(log);
  await compact(log, disk, { from: 4, nowMs: 10_500 });
  expect(contentOf(log)[0]).toBe('1:b=1');
  expect(contentOf(log)).not.toContain('2:a-');
});

test('a record without a key goes', async () => {
  const { disk, log } = compactedLog();
  log.appendAsLeader(
    keyed([
      [null, '1'],
      ['a', '1'],
      [null, null],
    ]),
    0,
  );
  roll(log);
  await compact(log, disk);
  expect(contentOf(log)).toEqual(['1:a=1', '2:roll=x'.replace('2', '3')]);
});

test('the last batch of a producer and the last batch of all stay as headers', async () => {
  const { disk, log } = compactedLog();
  log.appendAsLeader(
    keyed(
      [
        ['a', '1'],
        ['b', '1'],
      ],
      { producerId: 7, producerEpoch: 0, baseSequence: 0 },
    ),
    0,
  );
  log.appendAsLeader(keyed([['a', '2']], { producerId: 7, producerEpoch: 0, baseSequence: 2 }), 0);
  log.appendAsLeader(
    keyed([
      ['a', '3'],
      ['b', '3'],
    ]),
    0,
  );
  log.appendAsLeader(keyed([[null, '4']]), 0);
  roll(log);
  await compact(log, disk);
  expect(batchesOf(log).map(({ base, last, count, sequence }) => [base, last, count, sequence])).toEqual([
    [2, 2, 0, 2],
    [3, 4, 2, -1],
    [5, 5, 0, -1],
    [6, 6, 1, -1],
  ]);
  log.abandon();
  const again = openLog(disk, { config: CONFIG });
  expect(again.producers()).toMatchObject([{ producerId: 7, lastSequence: 2 }]);
  again.appendAsLeader(keyed([['c', '1']], { producerId: 7, producerEpoch: 0, baseSequence: 3 }), 0);
});

test('what is left of segments is as old as the newest of them was, for retention of records without timestamps', async () => {
  const { disk, log } = compactedLog();
  log.appendAsLeader(keyed([['a', '1']]), 0);
  log.appendAsLeader(keyed([['a', '2']]), 0);
  roll(log);
  log.segments[0].log.handle.setModifiedMs(1_234_567);
  const before = log.segments[0];
  await compact(log, disk);
  expect(log.segments[0]).not.toBe(before);
  expect(log.segments[0].log.handle.modifiedMs()).toBe(1_234_567);
});

function transaction(log: Log, producerId: number, entries: Entry[], commit: boolean, baseSequence = 0): void {
  log.appendAsLeader(keyed(entries, { producerId, producerEpoch: 0, baseSequence, transactional: true }), 0);
  log.appendAsLeader(marker(producerId, commit), 0, 'coordinator');
  log.onHighWatermark(log.logEndOffset);
}

test('what was aborted goes and supersedes nothing; its marker and index entry stay while it is there to be skipped', async () => {
  const { disk, log } = compactedLog();
  log.appendAsLeader(keyed([['a', '1']]), 0);
  transaction(
    log,
    7,
    [
      ['a', 'aborted'],
      ['b', 'aborted'],
    ],
    false,
  );
  transaction(log, 7, [['c', '1']], true, 2);
  roll(log);
  await compact(log, disk, { nowMs: 10_000 });
  expect(contentOf(log)).toEqual(['0:a=1', '4:c=1', '6:roll=x']);
  expect(batchesOf(log).map(({ base }) => base)).toEqual([0, 3, 4, 5, 6]);
  expect(log.abortedTransactions(0, 6)).toEqual([{ producerId: 7, firstOffset: 1 }]);
  // The second compaction finds nothing of the aborted transaction but its marker, and gives that a horizon.
  roll(log);
  await compact(log, disk, { from: 6, nowMs: 11_000 });
  expect(batchesOf(log)[1]).toMatchObject({ base: 3, baseTimestamp: 11_500 });
  expect(log.abortedTransactions(0, 6)).toEqual([]);
  roll(log);
  await compact(log, disk, { from: 7, nowMs: 11_499 });
  expect(batchesOf(log)[1]).toMatchObject({ base: 3, baseTimestamp: 11_500 });
  roll(log);
  await compact(log, disk, { from: 8, nowMs: 11_500 });
  expect(
    batchesOf(log)
      .map(({ base }) => base)
      .slice(0, 3),
  ).toEqual([0, 4, 5]);
});

test('a commit marker stays as long as a record of its transaction does', async () => {
  const { disk, log } = compactedLog();
  transaction(log, 7, [['a', '1']], true);
  transaction(log, 8, [['b', '1']], true);
  log.appendAsLeader(keyed([['a', '2']]), 0);
  for (let nowMs = 10_000; nowMs < 13_000; nowMs += 1000) {
    roll(log);
    await compact(log, disk, { nowMs });
  }
  // Both producers are known: the first one's data batch is its last, and stays empty.
  expect(
    batchesOf(log)
      .slice(0, 5)
      .map(({ base, count }) => [base, count]),
  ).toEqual([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 1],
  ]);
  expect(batchesOf(log)[1].bits & header.DELETE_HORIZON_BIT).toBe(0);
});

test('goes as far as keys fit into the map, and from there on next time', async () => {
  const { disk, log } = compactedLog();
  log.appendAsLeader(keyed(numbered(30, 'old')), 0);
  for (let i = 0; i < 30; i++) log.appendAsLeader(keyed([[`k${i}`, 'new']]), 0);
  roll(log);
  // 40 slots of 24 bytes, 0.9 full: 36 keys, but no more than there are.
  const first = await compact(log, disk, { mapBytes: 10 * 24 });
  expect(first).toMatchObject({ endOffset: 9, keys: 9 });
  let endOffset = first.endOffset;
  for (let i = 0; endOffset < 60; i++) {
    expect(i).toBeLessThan(20);
    endOffset = (await compact(log, disk, { from: endOffset, upTo: 60, mapBytes: 10 * 24 })).endOffset;
  }
  expect(contentOf(log).slice(0, 30)).toEqual(numbered(30).map(([key], i) => `${i + 30}:${key}=new`));
});

test('makes one segment of neighbours that fit into one', async () => {
  const { disk, log } = compactedLog({ segmentBytes: 400 });
  for (let i = 0; i < 40; i++) log.appendAsLeader(keyed([[`k${i % 5}`, String(i)]]), 0);
  const before = log.segments.length;
  expect(before).toBeGreaterThan(7);
  for (let i = 0; i < 2; i++) await compact(log, disk);
  expect(log.segments.length).toBeLessThan(4);
  expect(contentOf(log).length).toBeLessThan(12);
  expect(leftOver(disk, log)).toEqual([]);
  const found = keptRecords(log).at(-2)?.offset as number;
  expect(framesOf(log.read(found, 1, { upTo: 40, minOneBatch: true }).records)[0].base).toBe(found);
});

test('reads batches larger than its window', async () => {
  const { disk, log } = compactedLog();
  log.appendAsLeader(keyed([['a', 'x'.repeat(5000)]]), 0);
  log.appendAsLeader(keyed([['b', 'y'.repeat(2000)]]), 0);
  log.appendAsLeader(keyed([['a', 'z'.repeat(7000)]]), 0);
  roll(log);
  await compact(log, disk, { windowBytes: 100 });
  expect(keptRecords(log).map(({ offset }) => offset)).toEqual([1, 2, 3]);
});

test('refuses a damaged batch and leaves all as it was', async () => {
  const { disk, log } = compactedLog();
  for (let i = 0; i < 5; i++) log.appendAsLeader(keyed([['a', String(i)]]), 0);
  roll(log);
  const file = disk.open(log.segments[0].log.path, 'existing');
  file.writeSync(Buffer.from('?'), 68);
  await expect(compact(log, disk)).rejects.toThrow('bad CRC at offset 0');
  file.writeSync(Buffer.from('?'), keyed([['a', '0']]).length);
  await expect(compact(log, disk)).rejects.toThrow(/at byte 70: offsets \d+ to/);
  expect(leftOver(disk, log)).toEqual([]);
  expect(log.appendAsLeader(keyed([['a', '9']]), 0).firstOffset).toBe(6);
});

test('is given up when the log is truncated, closed or stopped under it', async () => {
  const change: ((log: Log) => void)[] = [
    (log) => log.truncateTo(2),
    (log) => log.truncateFullyAndStartAt(100),
    (log) => log.close(),
    (log) => log.abandon(),
  ];
  for (const happen of change) {
    const { disk, log } = compactedLog();
    for (let i = 0; i < 50; i++) log.appendAsLeader(keyed([['a', 'x'.repeat(1000)]]), 0);
    roll(log);
    let happened = false;
    const sleep = async (): Promise<void> => {
      if (!happened) happen(log);
      happened = true;
    };
    const pacer = new Pacer({ monotonicMs: () => 0, yieldLoop: async () => {}, sleep }, () => 1);
    await expect(compact(log, disk, { pacer })).rejects.toThrow(CompactionAborted);
    expect(happened).toBe(true);
    expect(leftOver(disk, log)).toEqual([]);
  }
  const { disk, log } = compactedLog();
  for (let i = 0; i < 5; i++) log.appendAsLeader(keyed([['a', String(i)]]), 0);
  roll(log);
  await expect(compact(log, disk, { isStopped: () => true })).rejects.toThrow(CompactionAborted);
});

test('the pacer gives the loop back after a slice, and sleeps off what is above the rate', async () => {
  let now = 0;
  const pauses: string[] = [];
  const ports = {
    monotonicMs: () => now,
    yieldLoop: async () => void pauses.push('yield'),
    sleep: async (ms: number) => {
      pauses.push(`sleep ${ms}`);
      now += ms;
    },
  };
  const pacer = new Pacer(ports, () => 1000);
  expect(pacer.spend(100)).toBeNull();
  now += 2;
  await pacer.spend(0);
  expect(pauses).toEqual(['yield']);
  await pacer.spend(500);
  expect(pauses).toEqual(['yield', 'sleep 298']);
  expect(pacer.spend(0)).toBeNull();
});

test('the key hash is Chaskey: the vectors of its authors', () => {
  const secret = [0x833d3433, 0x009f389f, 0x2398e64f, 0x417acf39].map((word) => word | 0);
  const hasher = new KeyHasher([secret[0], secret[1], secret[2], secret[3]]);
  const message = Buffer.from(Array.from({ length: 64 }, (_, i) => i));
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const hash = (length: number): string => {
    hasher.hash(view, 0, length);
    const words = [hasher.word0, hasher.word1, hasher.word2, hasher.word3];
    return words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(' ');
  };
  expect([0, 1, 2, 3, 4].map(hash)).toEqual([
    '792e8fe5 75ce87aa 2d1450b5 1191970b',
    '13a9307b 50e62c89 4577bd88 c0bbdc18',
    '55df8922 2c7ff577 73809ef4 4e5084c0',
    '1bdbb264 a07680d8 8e5b2ab8 20660413',
    '30b2d171 e38532fb 16707c16 73ed45f0',
  ]);
});

test('the offset map holds as many keys as it says, in as much memory', () => {
  const map = new OffsetMap(900, 0.9, SECRET);
  const key = Buffer.alloc(8);
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  const expected = new Map<number, number>();
  for (let i = 0; i < 900; i++) {
    key.writeDoubleBE(i * 3);
    expect(map.put(view, 0, 8, i)).toBe(true);
    expected.set(i * 3, i);
  }
  expect([map.size, map.memoryBytes]).toEqual([900, 24_000]);
  key.writeDoubleBE(1);
  expect([map.get(view, 0, 8), map.put(view, 0, 8, 5)]).toEqual([-1, false]);
  for (const [number, offset] of expected) {
    key.writeDoubleBE(number);
    expect(map.get(view, 0, 8)).toBe(offset);
  }
});

test('a compaction begins with a flush: a record may only go for one that outlasts a power cut', async () => {
  const disk = new MemoryDisk();
  const log = openLog(disk, { config: { cleanupPolicy: { delete: false, compact: true } } });
  log.appendAsLeader(keyed([['k', '1']]), 0);
  roll(log);
  log.appendAsLeader(keyed([['k', '2']]), 0);
  roll(log);
  expect(log.recoveryPoint).toBe(0);
  const open = disk.open.bind(disk);
  const points: number[] = [];
  disk.open = (path, mode) => {
    if (path.endsWith('.cleaned')) points.push(log.recoveryPoint);
    return open(path, mode);
  };
  await compact(log, disk);
  expect(points.length).toBeGreaterThan(0);
  expect(Math.min(...points)).toBe(log.segments[log.segments.length - 1].baseOffset);
});
