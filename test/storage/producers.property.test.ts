import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AbortedTransaction, type ActiveProducer, type Log, LogError, MemoryDisk } from '../../storage/index.ts';
import { ProducerState } from '../../storage/producer-state.ts';
import { batch, framesOf, marker, openLog, produced, readAll } from './batches.ts';

type Operation =
  | { kind: 'produce'; id: number; sequence: number; count: number; epoch: number; transactional: boolean }
  | { kind: 'end'; id: number; commit: boolean }
  | { kind: 'plain' }
  | { kind: 'truncate'; at: number }
  | { kind: 'flush' | 'close' | 'crash' };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('produce' as const),
      id: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: -1, max: 1 }),
      count: fc.integer({ min: 1, max: 3 }),
      epoch: fc.constantFrom(0, 0, 0, 1),
      transactional: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      id: fc.integer({ min: 1, max: 3 }),
      commit: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'plain' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: fc.nat({ max: 1000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'close' as const, 'crash' as const) }) },
);

interface Known {
  producers: ActiveProducer[];
  firstUnstableOffset: number | null;
  aborted: AbortedTransaction[];
}

/** What the batches of a log say, read from the first to the last. */
function knownFrom(bytes: Buffer): Known {
  const state = new ProducerState();
  const aborted: AbortedTransaction[] = [];
  state.update(bytes, ({ producerId, firstOffset, aborted: isAborted }) => {
    if (isAborted) aborted.push({ producerId, firstOffset });
  });
  state.onHighWatermark(Number.MAX_SAFE_INTEGER);
  const producers = [...state.entries.values()].map((entry) => ({
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: entry.lastSequence,
    lastTimestampMs: entry.lastTimestampMs,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTransactionStartOffset: entry.transactionFirstOffset,
  }));
  return { producers: sorted(producers), firstUnstableOffset: state.firstUnstableOffset, aborted };
}

function knownBy(log: Log): Known {
  log.onHighWatermark(Number.MAX_SAFE_INTEGER);
  const { firstUnstableOffset } = log;
  log.onHighWatermark(Number.MAX_SAFE_INTEGER);
  return {
    producers: sorted(log.producers()),
    firstUnstableOffset,
    aborted: log.abortedTransactions(0, log.logEndOffset),
  };
}

const sorted = (producers: ActiveProducer[]): ActiveProducer[] => producers.sort((a, b) => a.producerId - b.producerId);

/** Next to what should come, so that about as much is refused as is taken. */
function nextBatch(log: Log, step: Extract<Operation, { kind: 'produce' }>): Buffer {
  const known = log.producers().find((producer) => producer.producerId === step.id);
  const epoch = (known?.producerEpoch ?? 0) + step.epoch;
  const next = step.epoch > 0 ? 0 : (known?.lastSequence ?? -1) + 1;
  const sequence = Math.max(0, next + step.sequence);
  return produced(step.id, sequence, { count: step.count, producerEpoch: epoch, transactional: step.transactional });
}

function apply(disk: MemoryDisk, log: Log, step: Operation): Log {
  const config = { segmentBytes: 600, indexIntervalBytes: 100, producerIdExpirationMs: Number.MAX_SAFE_INTEGER };
  switch (step.kind) {
    case 'produce':
      log.appendAsLeader(nextBatch(log, step), 0);
      break;
    case 'end': {
      const epoch = log.producers().find((producer) => producer.producerId === step.id)?.producerEpoch ?? 0;
      log.appendAsLeader(marker(step.id, step.commit, { epoch }), 0, 'coordinator');
      break;
    }
    case 'plain':
      log.appendAsLeader(batch(2), 0);
      break;
    case 'truncate': {
      const frames = framesOf(readAll(log));
      log.truncateTo(frames[Math.floor((frames.length * step.at) / 1001)]?.base ?? 0);
      break;
    }
    case 'flush':
      log.flushSync();
      break;
    case 'close':
      log.close();
      return openLog(disk, { clean: true, recoveryPoint: log.recoveryPoint, config });
    case 'crash':
      log.abandon();
      return openLog(disk, { clean: false, recoveryPoint: log.recoveryPoint, config });
  }
  return log;
}

test('what a log knows of producers and transactions is what its batches say', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (steps) => {
      const disk = new MemoryDisk();
      let log = openLog(disk, { config: { segmentBytes: 600, producerIdExpirationMs: Number.MAX_SAFE_INTEGER } });
      for (const step of steps) {
        try {
          log = apply(disk, log, step);
        } catch (error) {
          if (!(error instanceof LogError) || error.code === 'KAFKA_STORAGE_ERROR') throw error;
        }
        if (step.kind !== 'plain') expect(knownBy(log)).toEqual(knownFrom(readAll(log)));
      }
    }),
    { numRuns: 150 },
  );
});
