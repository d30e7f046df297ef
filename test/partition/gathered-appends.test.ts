import fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { AppendError } from '../../src/partition/append-result.ts';
import { type Gathered, GatheredAppends } from '../../src/partition/gathered-appends.ts';
import { Partition } from '../../src/partition/partition.ts';
import { DiskError, type DiskFile, MemoryDisk } from '../../storage/index.ts';
import { brokerConfig } from '../config/samples.ts';
import { batch, openLog, produced, readAll } from '../storage/batches.ts';

/** Counts what is written to .log files; while it is full each write fails, after so many. */
class CountingDisk extends MemoryDisk {
  writes: number[] = [];
  failAfter = Number.POSITIVE_INFINITY;

  override open(path: string, mode: 'existing' | 'create'): DiskFile {
    const file = super.open(path, mode);
    if (!path.endsWith('.log')) return file;
    const writeSync = (data: Uint8Array, position: number) => {
      if (this.writes.length >= this.failAfter) throw new DiskError('NO_SPACE', path, 'full');
      this.writes.push(data.length);
      file.writeSync(data, position);
    };
    return new Proxy(file, {
      get: (target, name) => {
        if (name === 'writeSync') return writeSync;
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

const NOW_MS = 1_000;
const topicConfig = brokerConfig().topic();

function partitionOn(disk: MemoryDisk, segmentBytes = 1_000_000): Partition {
  const state = { leader: 1, leaderEpoch: 3, replicas: [1], isr: [1], directories: [] };
  return new Partition({
    topic: 't',
    topicId: 'id',
    index: 0,
    log: openLog(disk, { config: { segmentBytes } }),
    config: { ...topicConfig, segmentBytes },
    state,
  });
}

/** More bytes than are copied. */
const large = (producerId: number, baseSequence: number): Buffer =>
  batch(1, { producerId, producerEpoch: 0, baseSequence, valueBytes: 100_000 });

/** The base offset, or the error. */
function told(gathered: Gathered): number | string {
  try {
    return gathered.result.firstOffset;
  } catch (error) {
    return error instanceof AppendError ? error.errorName : String(error);
  }
}

describe('appends of one turn', () => {
  let disk: CountingDisk;
  let partition: Partition;
  let endTurn: () => void;
  let appends: GatheredAppends;

  beforeEach(() => {
    disk = new CountingDisk();
    partition = partitionOn(disk);
    appends = new GatheredAppends((task) => {
      endTurn = task;
    });
  });

  const add = (sent: Buffer): Gathered => appends.add(partition, partition.prepare(sent, 9, NOW_MS));

  it('are one write, and are seen when the turn has ended', async () => {
    const ended = appends.whenEnded();
    const sent = [produced(7, 0, { count: 2 }), produced(7, 2), batch(3)];
    const gathered = sent.map(add);
    // the producer that the log does not know yet is looked at, and goes together with what follows
    expect([partition.highWatermark, disk.writes]).toEqual([0, []]);
    endTurn();
    await ended;
    expect(gathered.map(told)).toEqual([0, 2, 3]);
    expect(gathered.map((one) => one.result.lastOffset)).toEqual([1, 2, 5]);
    expect(disk.writes).toEqual([sent.reduce((sum, { length }) => sum + length, 0)]);
    expect(partition.highWatermark).toBe(6);
  });

  it('need their bytes no longer than the call that takes them', () => {
    appends.whenEnded();
    const sent = batch(1, { valueBytes: 100 });
    const copy = Buffer.from(sent);
    add(sent);
    sent.fill(0);
    endTurn();
    const stored = readAll(partition.log);
    expect(stored.subarray(21)).toEqual(copy.subarray(21));
  });

  it('are refused one by one, each with its own error', () => {
    appends.whenEnded();
    const gathered = [produced(7, 0), produced(7, 5), produced(7, 1), produced(7, 0)].map(add);
    endTurn();
    expect(gathered.map(told)).toEqual([0, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 1, 0]);
    expect(gathered[3].result.duplicate).toBe(true);
    expect(partition.highWatermark).toBe(2);
  });

  it('keep their order around a batch that is too large to be copied', () => {
    appends.whenEnded();
    const gathered = [produced(7, 0), large(7, 1), produced(7, 2)].map(add);
    endTurn();
    expect(gathered.map(told)).toEqual([0, 1, 2]);
  });

  it('that are more than a turn may hold are written before its end', () => {
    appends.whenEnded();
    const sent = Array.from({ length: 600 }, () => batch(1, { valueBytes: 10_000 }));
    const gathered = sent.map(add);
    expect(disk.writes.length).toBeGreaterThan(10);
    endTurn();
    expect(gathered.map(told)).toEqual([...sent.keys()]);
  });

  it('fail each for itself on a full disk, and the log goes on when there is room', () => {
    disk.failAfter = 0;
    appends.whenEnded();
    const gathered = [produced(7, 0), produced(7, 1)].map(add);
    endTurn();
    expect(gathered.map(told)).toEqual(['KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR']);
    expect([partition.highWatermark, readAll(partition.log).length]).toEqual([0, 0]);
    disk.failAfter = Number.POSITIVE_INFINITY;
    appends.whenEnded();
    const again = [produced(7, 0), produced(7, 1)].map(add);
    endTurn();
    expect(again.map(told)).toEqual([0, 1]);
  });

  it('to a topic that is deleted before the end are refused', () => {
    appends.whenEnded();
    const gathered = [batch(), batch()].map(add);
    partition.markDeleted();
    endTurn();
    expect(gathered.map(told)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION']);
  });

  it('wake a waiting reader once', () => {
    let woken = 0;
    partition.addWaiter({
      wake: () => {
        woken += 1;
      },
    });
    appends.whenEnded();
    for (let i = 0; i < 5; i++) add(batch());
    endTurn();
    expect(woken).toBe(1);
  });
});

interface Sent {
  readonly id: number;
  readonly sequence: number;
  readonly count: number;
  readonly epoch: number;
  readonly endsTurn: boolean;
}

const sent: fc.Arbitrary<Sent> = fc.record({
  id: fc.integer({ min: 0, max: 2 }),
  // mostly the next one
  sequence: fc.constantFrom(0, 0, 0, 0, -1, 1),
  count: fc.integer({ min: 1, max: 4 }),
  epoch: fc.constantFrom(0, 0, 0, 0, 0, 1),
  endsTurn: fc.boolean(),
});

function bytesOf({ id, sequence, count, epoch }: Sent, next: Map<number, number>): Buffer {
  if (id === 0) return batch(count);
  const at = Math.max(0, (next.get(id) ?? 0) + sequence);
  next.set(id, at + count);
  return produced(id, at, { count, producerEpoch: epoch });
}

test('what is gathered comes to the same as what is appended one by one', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 40 }), fc.integer({ min: 200, max: 2000 }), (all, segmentBytes) => {
      const [alone, together] = [
        partitionOn(new MemoryDisk(), segmentBytes),
        partitionOn(new MemoryDisk(), segmentBytes),
      ];
      const appends = new GatheredAppends(() => {});
      const next = new Map<number, number>();
      const expected: (number | string)[] = [];
      const gathered: Gathered[] = [];
      for (const one of all) {
        const bytes = bytesOf(one, next);
        const copy = Buffer.from(bytes);
        gathered.push(appends.add(together, together.prepare(bytes, 9, NOW_MS)));
        const outcome = new GatheredAppends(() => {});
        const single = outcome.add(alone, alone.prepare(copy, 9, NOW_MS));
        outcome.end();
        expected.push(told(single));
        if (one.endsTurn) appends.end();
      }
      appends.end();
      expect(gathered.map(told)).toEqual(expected);
      expect(readAll(together.log)).toEqual(readAll(alone.log));
      expect(together.log.segments.map((s) => s.baseOffset)).toEqual(alone.log.segments.map((s) => s.baseOffset));
      expect(together.log.producers()).toEqual(alone.log.producers());
    }),
  );
});
