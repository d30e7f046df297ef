/** The fixed layouts of a log's files, read by a parser that shares no code with ours. */
import { Parser } from 'binary-parser';
import { expect, test } from 'vitest';
import { MemoryDisk } from '../../storage/index.ts';
import { batch, openLog, produced } from './batches.ts';

const big = () => new Parser().endianness('big');

const batchHeader = big()
  .int64('baseOffset')
  .int32('batchLength')
  .int32('partitionLeaderEpoch')
  .int8('magic')
  .uint32('crc')
  .int16('attributes')
  .int32('lastOffsetDelta')
  .int64('baseTimestamp')
  .int64('maxTimestamp')
  .int64('producerId')
  .int16('producerEpoch')
  .int32('baseSequence')
  .int32('recordCount');

const offsetIndex = big().array('entries', { type: big().int32('relativeOffset').int32('position'), readUntil: 'eof' });
const timeIndex = big().array('entries', { type: big().int64('timestamp').int32('relativeOffset'), readUntil: 'eof' });
const snapshot = big()
  .int16('version')
  .uint32('crc')
  .int32('count')
  .array('entries', {
    type: big()
      .int64('producerId')
      .int16('epoch')
      .int32('lastSequence')
      .int64('lastOffset')
      .int32('offsetDelta')
      .int64('timestamp')
      .int32('coordinatorEpoch')
      .int64('currentTxnFirstOffset'),
    length: 'count',
  });

test('a log, its indexes and its producer snapshot have the layouts of Kafka', () => {
  const disk = new MemoryDisk();
  const log = openLog(disk, { config: { indexIntervalBytes: 200 } });
  for (let i = 0; i < 20; i++) log.appendAsLeader(batch(2, { valueBytes: 100, timestamp: 1000 + 10 * i }), 3);
  log.appendAsLeader(produced(42, 0), 3);
  log.close();
  const read = (suffix: string) => {
    const name = disk.list('/data/t-0').find((file) => file.endsWith(suffix));
    return disk.readFile(`/data/t-0/${name}`) as Buffer;
  };

  const bytes = read('.log');
  const positions = new Map<number, number>();
  for (let at = 0, next = 0; at < bytes.length; ) {
    const header = batchHeader.parse(bytes.subarray(at));
    expect([Number(header.baseOffset), header.magic, header.partitionLeaderEpoch]).toEqual([next, 2, 3]);
    positions.set(at, next + header.lastOffsetDelta);
    next += header.lastOffsetDelta + 1;
    at += header.batchLength + 12;
  }

  const { entries } = offsetIndex.parse(read('.index'));
  expect(entries.length).toBeGreaterThan(3);
  for (const { relativeOffset, position } of entries) expect(positions.get(position)).toBe(relativeOffset);
  const times = timeIndex.parse(read('.timeindex')).entries;
  expect(times.length).toBeGreaterThan(3);
  expect(times.map((t: { timestamp: bigint }) => Number(t.timestamp))).toEqual(
    times.map((t: { relativeOffset: number }) => (t.relativeOffset - 1) * 5 + 1001),
  );

  const state = snapshot.parse(read('.snapshot'));
  expect(state).toMatchObject({ version: 1, count: 1 });
  expect(state.entries[0]).toMatchObject({
    producerId: 42n,
    epoch: 0,
    lastSequence: 0,
    lastOffset: 40n,
    offsetDelta: 0,
  });
});
