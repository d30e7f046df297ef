/** Files whose bytes Kafka reads too. */
import { crc32c } from '@node-rs/crc32';
import { describe, expect, test } from 'vitest';
import {
  offsetCheckpointText,
  readCheckpoint,
  readCleanShutdown,
  readOffsetCheckpoint,
  writeCleanShutdown,
} from '../../storage/checkpoints.ts';
import { LogError, MemoryDisk } from '../../storage/index.ts';
import { LeaderEpochs } from '../../storage/leader-epochs.ts';
import { deletedDirName, isDeletedDirName } from '../../storage/marked-folders.ts';
import { offsetFromName, parsePartitionDirName } from '../../storage/names.ts';
import { ProducerEntry } from '../../storage/producer-entry.ts';
import { decodeSnapshot, encodeSnapshot, ProducerSnapshots } from '../../storage/producer-snapshot.ts';
import { marker, openLog, produced, TOPIC_ID } from './batches.ts';

function entry(): ProducerEntry {
  const producer = new ProducerEntry(1000);
  producer.epoch = 3;
  producer.coordinatorEpoch = 9;
  producer.addBatch(11, 21, 4, 1_700_000_000_000);
  producer.addBatch(16, 30, 4, 1_700_000_000_001);
  producer.transactionFirstOffset = 17;
  return producer;
}

describe('a producer snapshot', () => {
  const hex =
    '0001' + // version
    '00000000' + // CRC, filled in below
    '00000002' + // entries
    '00000000000003e8' +
    '0003' +
    '00000010' +
    '000000000000001e' +
    '00000004' +
    '0000018bcfe56801' +
    '00000009' +
    '0000000000000011' +
    '0000000000000007' +
    'ffff' +
    'ffffffff' +
    'ffffffffffffffff' +
    '00000000' +
    'ffffffffffffffff' +
    'ffffffff' +
    'ffffffffffffffff';
  const expected = Buffer.from(hex, 'hex');
  expected.writeUInt32BE(crc32c(expected.subarray(6)), 2);

  test('has the bytes of Kafka', () => {
    expect(encodeSnapshot([entry(), new ProducerEntry(7)], 2).toString('hex')).toBe(expected.toString('hex'));
  });

  test('is read back, the last batch of each producer that is', () => {
    const [first, second] = decodeSnapshot(expected) ?? [];
    expect(first.batches).toEqual([
      { lastSequence: 16, lastOffset: 30, offsetDelta: 4, timestampMs: 1_700_000_000_001 },
    ]);
    expect([first.epoch, first.coordinatorEpoch, first.transactionFirstOffset]).toEqual([3, 9, 17]);
    expect([second.producerId, second.epoch, second.batches.length, second.transactionFirstOffset]).toEqual([
      7, -1, 0, -1,
    ]);
  });

  test('with any bit changed, cut or of another version is no snapshot', () => {
    for (let at = 0; at < expected.length; at++) {
      const damaged = Buffer.from(expected);
      damaged[at] ^= 0x10;
      expect(decodeSnapshot(damaged)).toBeNull();
      expect(decodeSnapshot(expected.subarray(0, at))).toBeNull();
    }
  });

  test('that is damaged gives way to the one before', () => {
    const disk = new MemoryDisk();
    disk.makeDir('/d');
    const snapshots = new ProducerSnapshots(disk, '/d', []);
    const entries = new Map([[1000, entry()]]);
    for (const offset of [5, 20, 10]) snapshots.write(offset, entries, false);
    disk.writeFile(snapshots.path(20), 'damage');
    expect(snapshots.readNewest(30)?.offset).toBe(10);
    expect(snapshots.readNewest(9)?.offset).toBe(5);
    expect(snapshots.readNewest(4)).toBeNull();
    expect(disk.list('/d')).toEqual(['00000000000000000005.snapshot', '00000000000000000010.snapshot']);
  });
});

describe('a log', () => {
  test('leaves the files that Kafka expects', () => {
    const disk = new MemoryDisk();
    const log = openLog(disk, { config: { indexIntervalBytes: 0 } });
    for (let i = 0; i < 3; i++) log.appendAsLeader(produced(1, i, { transactional: true }), 5);
    log.appendAsLeader(marker(1, false), 5, 'coordinator');
    log.close();
    const numbers = [...new Set(disk.list('/data/t-0').map((name) => name.replace(/^0+(?=\d+\.)/, '')))];
    expect(numbers).toEqual([
      '0.index',
      '0.log',
      '0.timeindex',
      '0.txnindex',
      '4.snapshot',
      'leader-epoch-checkpoint',
      'partition.metadata',
    ]);
    expect(disk.readFile('/data/t-0/leader-epoch-checkpoint')?.toString()).toBe('0\n1\n5 0\n');
    expect(disk.readFile('/data/t-0/partition.metadata')?.toString()).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`);
    const size = produced(1, 0).length;
    const index = disk.readFile('/data/t-0/00000000000000000000.index')?.toString('hex');
    const position = (n: number): string => (n * size).toString(16).padStart(8, '0');
    expect(index).toBe(`00000001${position(1)}00000002${position(2)}00000003${position(3)}`);
    const times = disk.readFile('/data/t-0/00000000000000000000.timeindex')?.toString('hex');
    expect(times).toBe(`00000000000003e8${'00000000'}00000000000007d000000003`);
    const aborted = disk.readFile('/data/t-0/00000000000000000000.txnindex')?.toString('hex');
    const int64 = (n: number): string => n.toString(16).padStart(16, '0');
    expect(aborted).toBe(`0000${int64(1)}${int64(0)}${int64(3)}${int64(4)}`);
  });

  test('of another topic id is refused', () => {
    const disk = new MemoryDisk();
    openLog(disk).close();
    expect(() => openLog(disk, { topicId: 'zzzzzzzzzzzzzzzzzzzzzz' })).toThrow(LogError);
    expect(openLog(disk, { topicId: null }).topicId).toBe(TOPIC_ID);
  });

  test('without a record has an empty segment, as in Kafka, and partition.metadata, and nothing else', () => {
    const disk = new MemoryDisk();
    const log = openLog(disk);
    log.assignEpoch(3);
    log.close();
    expect(disk.list('/data/t-0')).toEqual(['00000000000000000000.log', 'partition.metadata']);
    expect(disk.readFile('/data/t-0/00000000000000000000.log')).toHaveLength(0);
  });
});

describe('leader epochs (KIP-101, KIP-279)', () => {
  function epochs(...entries: [number, number][]): LeaderEpochs {
    const disk = new MemoryDisk();
    disk.makeDir('/d');
    const made = new LeaderEpochs(disk, '/d', false);
    for (const [epoch, startOffset] of entries) made.assign(epoch, startOffset);
    const change = made.takeChange(Number.MAX_SAFE_INTEGER);
    if (change !== null) disk.writeFile(change.path, change.text);
    return new LeaderEpochs(disk, '/d', true);
  }
  const pairs = (of: LeaderEpochs): number[][] => of.entries.map((each) => [each.epoch, each.startOffset]);

  test('answer where an epoch ended', () => {
    const known = epochs([2, 0], [4, 10], [7, 25]);
    const end = (epoch: number): number[] => Object.values(known.endOffsetFor(epoch, 40));
    expect(end(7)).toEqual([7, 40]);
    expect(end(4)).toEqual([4, 25]);
    expect(end(5)).toEqual([4, 25]);
    expect(end(3)).toEqual([2, 10]);
    expect(end(1)).toEqual([1, 0]);
    expect(end(8)).toEqual([-1, -1]);
    expect(end(-1)).toEqual([-1, -1]);
  });

  test('drop what a new one contradicts', () => {
    expect(pairs(epochs([2, 0], [4, 10], [3, 10]))).toEqual([
      [2, 0],
      [3, 10],
    ]);
    expect(pairs(epochs([2, 5], [3, 5]))).toEqual([[3, 5]]);
    expect(pairs(epochs([2, 5], [2, 9]))).toEqual([[2, 5]]);
    expect(pairs(epochs([2, 5], [2, 3]))).toEqual([[2, 3]]);
  });

  test('follow the ends of the log', () => {
    const known = epochs([2, 0], [4, 10], [7, 25]);
    known.truncateFromEnd(25);
    expect(pairs(known)).toEqual([
      [2, 0],
      [4, 10],
    ]);
    known.truncateFromStart(12);
    expect(pairs(known)).toEqual([[4, 12]]);
    expect([known.epochForOffset(11), known.epochForOffset(12), known.latest]).toEqual([-1, 4, 4]);
  });

  test('in which nothing was written are not saved', () => {
    const disk = new MemoryDisk();
    disk.makeDir('/d');
    const known = new LeaderEpochs(disk, '/d', false);
    known.assign(3, 0);
    expect(known.takeChange(0)).toBeNull();
    expect(known.takeChange(1)).toEqual({ path: '/d/leader-epoch-checkpoint', text: '0\n1\n3 0\n' });
    expect(known.takeChange(1)).toBeNull();
  });
});

describe('checkpoints', () => {
  const disk = new MemoryDisk();

  test('are lines of topic, partition and offset', () => {
    const text = offsetCheckpointText([
      { topic: 'a-b', partition: 0, offset: 12 },
      { topic: 'c', partition: 11, offset: 0 },
    ]);
    expect(text).toBe('0\n2\na-b 0 12\nc 11 0\n');
    disk.writeFile('/c', text);
    expect([...readOffsetCheckpoint(disk, '/c')]).toEqual([
      ['a-b-0', 12],
      ['c-11', 0],
    ]);
  });

  test('that are absent or empty say nothing', () => {
    disk.writeFile('/empty', '');
    expect(readOffsetCheckpoint(disk, '/empty').size).toBe(0);
    expect(readOffsetCheckpoint(disk, '/none').size).toBe(0);
  });

  test.each([['1\n0\n'], ['0\n2\nt 0 1\n'], ['0\n1\nt 0\n'], ['0\n1\nt 0 x\n'], ['0\n1\nt 0 1 2\n']])(
    'are refused when malformed: %j',
    (text) => {
      disk.writeFile('/bad', text);
      expect(() => readOffsetCheckpoint(disk, '/bad')).toThrow();
    },
  );

  test('may end their lines as on Windows', () => {
    disk.writeFile('/crlf', '0\r\n1\r\n5 7\r\n');
    expect(readCheckpoint(disk, '/crlf', 2)).toEqual([['5', '7']]);
  });

  test('the clean shutdown marker holds the broker epoch (KIP-966)', () => {
    disk.makeDir('/m');
    expect(readCleanShutdown(disk, '/m')).toBeNull();
    writeCleanShutdown(disk, '/m', 12, false);
    expect(disk.readFile('/m/.kafka_cleanshutdown')?.toString()).toBe('{"version":0,"brokerEpoch":12}');
    expect(readCleanShutdown(disk, '/m')).toEqual({ brokerEpoch: 12 });
    disk.writeFile('/m/.kafka_cleanshutdown', '');
    expect(readCleanShutdown(disk, '/m')).toEqual({ brokerEpoch: -1 });
  });
});

describe('names', () => {
  test('of files hold twenty digits', () => {
    expect(offsetFromName('00000000000000000042.log', '.log')).toBe(42);
    for (const name of [
      '42.log',
      '00000000000000000042.index',
      '0000000000000000004x.log',
      '00000000000000000042.log.swap',
    ]) {
      expect(offsetFromName(name, '.log')).toBeNull();
    }
  });

  test('of folders hold topic and partition', () => {
    expect(parsePartitionDirName('a-b.c_d-12')).toEqual({ topic: 'a-b.c_d', partition: 12 });
    expect(parsePartitionDirName('x-delete-0')).toEqual({ topic: 'x-delete', partition: 0 });
    for (const name of ['a', 'a-', '-1', 'a-b', 'a-1.0a1b-delete', 'a-1.0a1b-future', 'a-1.0a1b-stray', 'lost+found']) {
      expect(parsePartitionDirName(name)).toBeNull();
    }
  });

  test('of folders to be deleted stay within 255 bytes', () => {
    const name = deletedDirName('t'.repeat(249), 7, 'a'.repeat(22));
    expect([name.length, isDeletedDirName(name)]).toEqual([255, true]);
    expect(name.endsWith('-7.aaaaaaaaaaaaaaaaaaaaaa-delete')).toBe(true);
  });
});
