import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Log, LogResources, MemoryDisk } from '../../storage/index.ts';
import { batch, checkIndexFiles, framesOf, openLog, readAll, TestClock } from './batches.ts';

type Operation =
  | { kind: 'append'; counts: number[]; timestamps: number[]; valueBytes: number }
  | { kind: 'follow'; gap: number; count: number }
  | { kind: 'read'; at: number; maxBytes: number; upTo: number; minOneBatch: boolean }
  | { kind: 'truncate'; at: number }
  | { kind: 'startOver'; at: number }
  | { kind: 'advance'; at: number }
  | { kind: 'retain'; bytes: number }
  | { kind: 'flush' }
  | { kind: 'close' }
  | { kind: 'crash'; garbageBytes: number };

/** Positions are thousandths of the log. */
const part = fc.nat({ max: 1000 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      counts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
      timestamps: fc.array(fc.integer({ min: -1, max: 50 }), { minLength: 3, maxLength: 3 }),
      valueBytes: fc.integer({ min: 0, max: 90 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('follow' as const),
      gap: fc.nat({ max: 3 }),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      at: part,
      maxBytes: fc.nat({ max: 1500 }),
      upTo: part,
      minOneBatch: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('startOver' as const), at: part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), at: part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retain' as const), bytes: fc.nat({ max: 4000 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), garbageBytes: fc.nat({ max: 90 }) }) },
);

interface ModelBatch {
  base: number;
  last: number;
  bytes: Buffer;
}

/** What a log is, without segments, files or indexes. */
class Model {
  batches: ModelBatch[] = [];
  start = 0;
  end = 0;

  add(bytes: Buffer): void {
    for (const { at, size, base, last } of framesOf(bytes)) {
      this.batches.push({ base, last, bytes: Buffer.from(bytes.subarray(at, at + size)) });
      this.end = last + 1;
    }
  }

  offsetAt(thousandth: number): number {
    return this.start + Math.floor(((this.end - this.start) * thousandth) / 1000);
  }

  between(from: number, upTo: number): ModelBatch[] {
    return this.batches.filter((entry) => entry.last >= from && entry.last < upTo);
  }

  truncate(offset: number): void {
    this.batches = this.batches.filter((entry) => entry.last < offset);
    this.end = offset;
    this.start = Math.min(this.start, offset);
  }
}

class Run {
  readonly disk = new MemoryDisk();
  readonly clock = new TestClock();
  readonly model = new Model();
  log: Log;
  #epoch = 0;
  /** Small segments, small indexes, two open files: everything happens often. */
  readonly #config = {
    segmentBytes: 1500,
    indexIntervalBytes: 200,
    segmentIndexBytes: 64,
    fileDeleteDelayMs: 0,
    cleanupPolicy: { delete: true, compact: true },
  };

  constructor() {
    this.log = this.#open(0, 0, false);
  }

  #open(recoveryPoint: number, logStartOffset: number, clean: boolean): Log {
    const resources = new LogResources(this.disk, { maxOpenFiles: 2, maxTailBytes: 5000 });
    return openLog(this.disk, {
      resources,
      clock: this.clock,
      recoveryPoint,
      logStartOffset,
      clean,
      config: this.#config,
    });
  }

  apply(step: Operation): void {
    const { log, model } = this;
    switch (step.kind) {
      case 'append': {
        const bytes = Buffer.concat(
          step.counts.map((count, i) => batch(count, { valueBytes: step.valueBytes, timestamp: step.timestamps[i] })),
        );
        const { firstOffset, lastOffset } = log.appendAsLeader(bytes, this.#epoch);
        expect(firstOffset).toBe(model.end);
        model.add(bytes);
        expect(lastOffset).toBe(model.end - 1);
        break;
      }
      case 'follow': {
        const bytes = batch(step.count, { baseOffset: model.end + step.gap, leaderEpoch: this.#epoch });
        log.appendAsFollower(bytes);
        model.add(bytes);
        break;
      }
      case 'read':
        this.#read(step);
        break;
      case 'truncate': {
        const offset = model.offsetAt(step.at);
        log.truncateTo(offset);
        if (offset < model.end) model.truncate(offset);
        this.#epoch += 1;
        break;
      }
      case 'startOver': {
        const offset = model.end + step.at;
        log.truncateFullyAndStartAt(offset);
        model.batches = [];
        model.start = offset;
        model.end = offset;
        break;
      }
      case 'advance': {
        const offset = model.offsetAt(step.at);
        log.advanceLogStartOffset(offset);
        model.start = offset;
        break;
      }
      case 'retain':
        this.#retain(step.bytes);
        break;
      case 'flush':
        log.flushSync();
        expect(log.recoveryPoint).toBe(model.end);
        break;
      case 'close':
        log.close();
        this.log = this.#open(log.recoveryPoint, log.logStartOffset, true);
        break;
      case 'crash':
        this.#crash(step.garbageBytes);
        break;
    }
    this.#check();
  }

  #read(step: Extract<Operation, { kind: 'read' }>): void {
    const { log, model } = this;
    const from = model.offsetAt(step.at);
    const upTo = model.offsetAt(step.upTo);
    const { records } = log.read(from, step.maxBytes, { upTo, minOneBatch: step.minOneBatch });
    const expected = model.between(from, upTo);
    const whole = Buffer.concat(expected.map((entry) => entry.bytes));
    expect(whole.subarray(0, records.length).equals(records)).toBe(true);
    const first = expected[0]?.bytes.length ?? 0;
    if (records.length > step.maxBytes) expect([step.minOneBatch, records.length]).toEqual([true, first]);
    if (first > 0 && (step.minOneBatch || first <= step.maxBytes)) expect(records.length).toBeGreaterThanOrEqual(first);
    expect(log.bytesBetween(from, upTo)).toBe(whole.length);
  }

  #retain(bytes: number): void {
    const { log, model } = this;
    log.updateConfig({ ...log.config, retentionBytes: bytes, retentionMs: -1 });
    log.deleteOldSegments(this.clock.now, model.end);
    log.updateConfig({ ...log.config, retentionBytes: -1 });
    expect(log.logStartOffset).toBeGreaterThanOrEqual(model.start);
    expect(log.sizeBytes).toBeLessThan(bytes + 1500);
    model.start = log.logStartOffset;
  }

  /** Nothing that was written is lost but what half a write left at the end. */
  #crash(garbageBytes: number): void {
    const { log } = this;
    const last = log.segments[log.segments.length - 1];
    log.abandon();
    if (garbageBytes > 0 && last.log.exists) {
      const file = this.disk.open(last.log.path, 'existing');
      file.writeSync(batch(3).subarray(0, garbageBytes), file.sizeBytes());
    }
    this.log = this.#open(log.recoveryPoint, log.logStartOffset, false);
    expect(this.log.logEndOffset).toBe(this.model.end);
  }

  #check(): void {
    const { log, model } = this;
    expect([log.logStartOffset, log.logEndOffset]).toEqual([model.start, model.end]);
    expect(log.recoveryPoint).toBeLessThanOrEqual(model.end);
  }
}

test('a log is a list of batches, whatever happens to it', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80, size: 'max' }), (steps) => {
      const run = new Run();
      for (const step of steps) run.apply(step);
      const expected = run.model.between(run.model.start, run.model.end).map((entry) => entry.bytes);
      expect(readAll(run.log).equals(Buffer.concat(expected))).toBe(true);
      run.log.close();
      checkIndexFiles(run.disk, '/data/t-0');
    }),
    { numRuns: 300 },
  );
});
