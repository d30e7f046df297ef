import { describe, expect, test } from 'vitest';
import type { AppendOrigin, Log } from '../../storage/index.ts';
import { LogError, MemoryDisk } from '../../storage/index.ts';
import { marker, newLog, openLog, produced, TestClock } from './batches.ts';

type Step = [sequence: number, count: number, epoch?: number];

/** Appends for producer 1; gives the offset, 'dup OFFSET' or the error of the last step. */
function outcome(steps: Step[], origin: AppendOrigin = 'client'): string {
  const log = newLog();
  let result = '';
  for (const [sequence, count, producerEpoch = 0] of steps) {
    result = attempt(() => {
      const { firstOffset, duplicate } = log.appendAsLeader(produced(1, sequence, { count, producerEpoch }), 0, origin);
      return `${duplicate ? 'dup ' : ''}${firstOffset}`;
    });
  }
  return result;
}

function attempt(action: () => string): string {
  try {
    return action();
  } catch (error) {
    if (error instanceof LogError) return error.code;
    throw error;
  }
}

const MAX = 0x7fff_ffff;

describe('sequences (KIP-98)', () => {
  const table: [string, Step[], string][] = [
    ['begin at 0', [[0, 3]], '0'],
    [
      'go on',
      [
        [0, 3],
        [3, 2],
      ],
      '3',
    ],
    [
      'must not leave a gap',
      [
        [0, 3],
        [4, 1],
      ],
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    ],
    [
      'must not go back',
      [
        [0, 3],
        [3, 2],
        [1, 2],
      ],
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    ],
    ['of an unknown producer may begin anywhere', [[17, 2]], '0'],
    [
      'start over after the largest',
      [
        [MAX - 1, 2],
        [0, 1],
      ],
      '2',
    ],
    [
      'may run over the largest within a batch',
      [
        [MAX, 3],
        [2, 1],
      ],
      '3',
    ],
    [
      'repeated give the first offset',
      [
        [0, 3],
        [3, 2],
        [0, 3],
      ],
      'dup 0',
    ],
    [
      'of the batch run over the largest can be repeated',
      [
        [MAX, 3],
        [2, 1],
        [MAX, 3],
      ],
      'dup 0',
    ],
    [
      'of the last five batches can be repeated',
      [
        [0, 1],
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
        [0, 1],
      ],
      'dup 0',
    ],
    [
      'before the last five cannot',
      [
        [0, 1],
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
        [5, 1],
        [0, 1],
      ],
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    ],
    [
      'with another count are no repetition',
      [
        [0, 3],
        [0, 2],
      ],
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    ],
    [
      'begin at 0 in a new epoch',
      [
        [0, 3],
        [0, 1, 1],
      ],
      '3',
    ],
    [
      'must begin at 0 in a new epoch',
      [
        [0, 3],
        [3, 1, 1],
      ],
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    ],
    [
      'of an old epoch are refused',
      [
        [0, 3, 2],
        [3, 1, 1],
      ],
      'INVALID_PRODUCER_EPOCH',
    ],
    [
      'of an old epoch are refused even if seen',
      [
        [0, 3, 1],
        [0, 1, 2],
        [0, 3, 1],
      ],
      'INVALID_PRODUCER_EPOCH',
    ],
  ];
  test.each(table)('%s', (_name, steps, expected) => {
    expect(outcome(steps)).toBe(expected);
  });

  test('do not matter to a coordinator, epochs do', () => {
    expect(
      outcome(
        [
          [-1, 1],
          [-1, 1],
        ],
        'coordinator',
      ),
    ).toBe('1');
    expect(
      outcome(
        [
          [-1, 1, 3],
          [-1, 1, 2],
        ],
        'coordinator',
      ),
    ).toBe('INVALID_PRODUCER_EPOCH');
  });

  test('several batches in one append are taken or refused together', () => {
    const log = newLog();
    const good = Buffer.concat([produced(1, 0, { count: 2 }), produced(2, 0), produced(1, 2)]);
    expect(log.appendAsLeader(good, 0)).toMatchObject({ firstOffset: 0, lastOffset: 3 });
    const bad = Buffer.concat([produced(2, 1), produced(1, 9)]);
    expect(attempt(() => String(log.appendAsLeader(bad, 0)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(log.logEndOffset).toBe(4);
    expect(log.appendAsLeader(produced(2, 1), 0)).toMatchObject({ firstOffset: 4, duplicate: false });
  });

  test('a refused batch leaves nothing behind', () => {
    const log = newLog();
    log.appendAsLeader(produced(1, 0), 0);
    const before = log.producers();
    expect(() => log.appendAsLeader(produced(1, 5, { producerEpoch: 1 }), 0)).toThrow(LogError);
    expect(log.producers()).toEqual(before);
    expect([log.logEndOffset, log.sizeBytes]).toEqual([1, produced(1, 0).length]);
  });

  test('are not checked on a follower', () => {
    const log = newLog();
    log.appendAsFollower(produced(1, 40, { producerEpoch: 5 }));
    log.appendAsFollower(produced(1, 7, { producerEpoch: 5, baseOffset: 1 }));
    expect(log.producers()).toMatchObject([{ producerEpoch: 5, lastSequence: 7 }]);
  });
});

describe('transactions (KIP-98)', () => {
  const begin = (log: Log, id: number, sequence = 0): number =>
    log.appendAsLeader(produced(id, sequence, { transactional: true }), 0).firstOffset;
  const end = (log: Log, id: number, commit: boolean): number =>
    log.appendAsLeader(marker(id, commit), 0, 'coordinator').firstOffset;

  test('hold the last stable offset until their marker is below the high watermark', () => {
    const log = newLog();
    log.appendAsLeader(produced(9, 0), 0);
    expect(log.firstUnstableOffset).toBeNull();
    begin(log, 1);
    begin(log, 2);
    expect(log.firstUnstableOffset).toBe(1);
    end(log, 1, true);
    log.onHighWatermark(3);
    expect(log.firstUnstableOffset).toBe(1);
    log.onHighWatermark(4);
    expect(log.firstUnstableOffset).toBe(2);
    end(log, 2, false);
    log.onHighWatermark(log.logEndOffset);
    expect(log.firstUnstableOffset).toBeNull();
    expect(log.abortedTransactions(0, 5)).toEqual([{ producerId: 2, firstOffset: 2 }]);
  });

  test('are listed as aborted where a fetch overlaps them', () => {
    const log = newLog();
    for (const id of [1, 2, 3]) begin(log, id);
    end(log, 2, false);
    end(log, 1, false);
    end(log, 3, true);
    begin(log, 2, 1);
    end(log, 2, false);
    const ids = (from: number, upTo: number): number[] =>
      log.abortedTransactions(from, upTo).map((entry) => entry.producerId);
    expect(ids(0, 8)).toEqual([2, 1, 2]);
    expect(ids(4, 6)).toEqual([1]);
    expect(ids(0, 1)).toEqual([1]);
    expect(ids(5, 8)).toEqual([2]);
  });

  test('are known by producer', () => {
    const log = newLog();
    begin(log, 5);
    expect([log.hasOngoingTransaction(5), log.hasOngoingTransaction(6)]).toEqual([true, false]);
    expect(log.producers()).toMatchObject([{ producerId: 5, currentTransactionStartOffset: 0, coordinatorEpoch: -1 }]);
    log.appendAsLeader(marker(5, true, { coordinatorEpoch: 4 }), 0, 'coordinator');
    expect(log.producers()).toMatchObject([
      { currentTransactionStartOffset: -1, coordinatorEpoch: 4, lastTimestampMs: 2_000 },
    ]);
  });

  test('take nothing that is not part of them', () => {
    const log = newLog();
    begin(log, 1);
    expect(attempt(() => String(log.appendAsLeader(produced(1, 1), 0)))).toBe('INVALID_TXN_STATE');
  });

  test('a marker of an old epoch or an old coordinator is refused', () => {
    const log = newLog();
    log.appendAsLeader(produced(1, 0, { transactional: true, producerEpoch: 3 }), 0);
    const append = (epoch: number, coordinatorEpoch: number, version = -1): string =>
      attempt(
        () =>
          `${log.appendAsLeader(marker(1, true, { epoch, coordinatorEpoch }), 0, 'coordinator', { transactionVersion: version }).firstOffset}`,
      );
    expect(append(2, 5)).toBe('INVALID_PRODUCER_EPOCH');
    expect(append(3, 5)).toBe('1');
    expect(append(3, 4)).toBe('TRANSACTION_COORDINATOR_FENCED');
  });

  test('of version 2 raise the epoch with each marker, and take a repeated one (KIP-890)', () => {
    const log = newLog();
    log.appendAsLeader(produced(1, 0, { transactional: true, producerEpoch: 3 }), 0);
    const append = (epoch: number): string =>
      attempt(
        () =>
          `${log.appendAsLeader(marker(1, true, { epoch }), 0, 'coordinator', { transactionVersion: 2 }).firstOffset}`,
      );
    expect(append(3)).toBe('INVALID_PRODUCER_EPOCH');
    expect(append(4)).toBe('1');
    expect(append(4)).toBe('2');
    log.appendAsLeader(produced(1, 0, { transactional: true, producerEpoch: 4 }), 0);
    expect(append(4)).toBe('INVALID_PRODUCER_EPOCH');
    expect(append(5)).toBe('4');
  });
});

describe('forgetting', () => {
  test('a producer expires after producer.id.expiration.ms, unless a transaction is open', () => {
    const log = newLog({ producerIdExpirationMs: 100 });
    log.appendAsLeader(produced(1, 0), 0);
    log.appendAsLeader(produced(2, 0, { transactional: true }), 0);
    log.removeExpiredProducers(1_099);
    expect(log.producers().length).toBe(2);
    log.removeExpiredProducers(1_100);
    expect(log.producers().map((entry) => entry.producerId)).toEqual([2]);
    expect(log.appendAsLeader(produced(1, 30), 0).firstOffset).toBe(2);
  });

  test('a snapshot does not bring an expired producer back', () => {
    const disk = new MemoryDisk();
    const clock = new TestClock();
    const config = { producerIdExpirationMs: 100 };
    const log = openLog(disk, { clock, config });
    log.appendAsLeader(produced(1, 0), 0);
    log.close();
    clock.now = 1_050;
    expect(openLog(disk, { clock, config, clean: true }).producers().length).toBe(1);
    clock.now = 1_200;
    expect(openLog(disk, { clock, config, clean: true }).producers().length).toBe(0);
  });

  test('a truncation leaves stable what ended below the high watermark', () => {
    const log = newLog();
    log.appendAsLeader(produced(2, 0, { transactional: true }), 0);
    log.appendAsLeader(marker(2, true), 0, 'coordinator');
    log.appendAsLeader(produced(1, 0), 0);
    log.onHighWatermark(2);
    log.truncateTo(2);
    expect(log.firstUnstableOffset).toBeNull();
  });

  test('a truncation takes back what the lost batches had told', () => {
    const disk = new MemoryDisk();
    const log = openLog(disk);
    log.appendAsLeader(produced(1, 0), 0);
    log.appendAsLeader(produced(1, 1), 0);
    log.appendAsLeader(produced(2, 0, { transactional: true }), 0);
    log.close();
    const again = openLog(disk, { clean: true, recoveryPoint: 3 });
    again.truncateTo(1);
    expect(again.producers()).toMatchObject([{ producerId: 1, lastSequence: 0 }]);
    expect(again.firstUnstableOffset).toBeNull();
    expect(again.appendAsLeader(produced(1, 1), 1).firstOffset).toBe(1);
  });
});
