/**
 * Random keyed appends, transactions, idempotent producers, rolls, truncations, deletions, compactions and reopenings beside a plain model
 * (compaction-model.ts).
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompressionType } from '../../protocol/records/batch.ts';
import { cleanableSection } from '../../storage/cleanable.ts';
import { type Log, MemoryDisk } from '../../storage/index.ts';
import { checkIndexFiles, marker, openLog, TestClock } from './batches.ts';
import { compact, type Entry, keptRecords, keyed } from './compaction-helpers.ts';
import { CompactedLogModel } from './compaction-model.ts';

const DELETE_RETENTION_MS = 100;
const MIN_LAG_MS = 40;
const CONFIG = {
  cleanupPolicy: { delete: true, compact: true },
  segmentBytes: 700,
  indexIntervalBytes: 150,
  deleteRetentionMs: DELETE_RETENTION_MS,
  minCompactionLagMs: MIN_LAG_MS,
  retentionMs: -1,
  fileDeleteDelayMs: 0,
};

type Keys = [key: number, isTombstone: boolean][];
type Operation =
  | { kind: 'append'; entries: Keys; codec: number }
  | { kind: 'produce'; producer: number; entries: Keys }
  | { kind: 'retry'; producer: number }
  | { kind: 'transaction'; producer: number; entries: Keys; outcome: 'commit' | 'abort' | null }
  | { kind: 'roll' }
  | { kind: 'compact'; keys: number; windowBytes: number }
  | { kind: 'truncate'; backBy: number }
  | { kind: 'deleteRecords'; at: number }
  | { kind: 'retain'; bytes: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'reopen'; clean: boolean };

const entries = fc.array(fc.tuple(fc.nat({ max: 6 }), fc.boolean()), { minLength: 1, maxLength: 5 });
const producer = fc.integer({ min: 1, max: 3 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('append' as const), entries, codec: fc.nat({ max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('produce' as const), producer, entries }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retry' as const), producer }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      producer,
      entries,
      outcome: fc.constantFrom('commit' as const, 'commit' as const, 'abort' as const, null),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'roll' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      keys: fc.integer({ min: 1, max: 12 }),
      windowBytes: fc.integer({ min: 1, max: 900 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), backBy: fc.nat({ max: 25 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteRecords' as const), at: fc.nat({ max: 1000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retain' as const), bytes: fc.nat({ max: 6000 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 150 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), clean: fc.boolean() }) },
);

/** Idempotent ones without transactions have ids of their own. */
const IDEMPOTENT = 100;

class Run {
  readonly disk = new MemoryDisk();
  readonly clock = new TestClock();
  readonly model = new CompactedLogModel();
  /** By id: the last batch of each idempotent producer, as it was sent, and where it went. */
  readonly #sent = new Map<number, { bytes: Buffer; offset: number }>();
  #values = 0;
  #epoch = 0;
  log: Log = this.#open({ recoveryPoint: 0, clean: true });

  #open(found: { recoveryPoint: number; clean: boolean; cleanedUpTo?: number; logStartOffset?: number }): Log {
    const { disk, clock } = this;
    return openLog(disk, { config: CONFIG, clock, ...found });
  }

  async apply(step: Operation): Promise<void> {
    switch (step.kind) {
      case 'append':
        this.#append(step.entries, { compression: Object.values(CompressionType)[step.codec] });
        break;
      case 'produce':
        this.#produce(IDEMPOTENT + step.producer, step.entries);
        break;
      case 'retry':
        this.#retry(IDEMPOTENT + step.producer);
        break;
      case 'transaction':
        this.#transaction(step);
        break;
      case 'roll':
        this.#roll();
        break;
      case 'compact':
        await this.#compact(step);
        break;
      case 'truncate':
        this.#truncate(step.backBy);
        break;
      case 'deleteRecords':
        this.#deleteRecords(step.at);
        break;
      case 'retain':
        this.#retain(step.bytes);
        break;
      case 'wait':
        this.clock.now += step.ms;
        break;
      case 'reopen':
        this.#reopen(step.clean);
        break;
    }
    this.#check();
  }

  #entries(keys: Keys): Entry[] {
    return keys.map(([key, isTombstone]) => [`k${key}`, isTombstone ? null : `v${this.#values++}`]);
  }

  #append(keys: Keys, options: Parameters<typeof keyed>[1] = {}): void {
    const timestamp = this.clock.now;
    const appended = this.#entries(keys);
    const { firstOffset: offset } = this.log.appendAsLeader(keyed(appended, { ...options, timestamp }), this.#epoch);
    this.model.add({ offset, entries: appended, timestamp });
  }

  /** A producer whose state is gone with its records starts again at 0, as one that has got a new id would. */
  #nextSequence(producerId: number): number {
    const known = this.log.producers().find((candidate) => candidate.producerId === producerId);
    return known === undefined ? 0 : known.lastSequence + 1;
  }

  #produce(producerId: number, keys: Keys, transaction = false): void {
    const timestamp = this.clock.now;
    const appended = this.#entries(keys);
    const baseSequence = this.#nextSequence(producerId);
    const header = { producerId, producerEpoch: 0, baseSequence, transactional: transaction, timestamp };
    const bytes = keyed(appended, header);
    const sent = Buffer.from(bytes);
    const { firstOffset: offset } = this.log.appendAsLeader(bytes, this.#epoch);
    this.#sent.set(producerId, { bytes: sent, offset });
    const nextSequence = baseSequence + keys.length;
    this.model.add({
      offset,
      entries: appended,
      timestamp,
      producerId,
      nextSequence,
      transaction: transaction ? this.model.transactionOf(producerId) : null,
    });
  }

  /** The answer was lost: the log knows that it has the batch, whatever a compaction has left of it. */
  #retry(producerId: number): void {
    const sent = this.#sent.get(producerId);
    if (sent === undefined) return;
    const { duplicate, firstOffset } = this.log.appendAsLeader(Buffer.from(sent.bytes), this.#epoch);
    expect([duplicate, firstOffset]).toEqual([true, sent.offset]);
  }

  #transaction({ producer, entries: keys, outcome }: Extract<Operation, { kind: 'transaction' }>): void {
    this.#produce(producer, keys, true);
    if (outcome === null) return;
    this.log.appendAsLeader(marker(producer, outcome === 'commit'), this.#epoch, 'coordinator');
    this.model.complete(this.model.transactionOf(producer), outcome);
  }

  #roll(): void {
    const { config } = this.log;
    this.log.updateConfig({ ...config, segmentBytes: 120 });
    this.#append([[0, false]]);
    this.log.updateConfig(config);
  }

  async #compact({ keys, windowBytes }: Extract<Operation, { kind: 'compact' }>): Promise<void> {
    const { log } = this;
    const nowMs = this.clock.now;
    const offsets = { lastStableOffset: log.firstUnstableOffset ?? log.logEndOffset, highWatermark: log.logEndOffset };
    const section = cleanableSection({ log, ...offsets }, nowMs);
    if (section === null) return;
    const { firstDirtyOffset: from, firstUncleanableOffset: upTo } = section;
    const bases = log.segments.map(({ baseOffset }) => baseOffset);
    const mapBytes = Math.ceil(keys / 0.9) * 24;
    const { endOffset: to } = await compact(log, this.disk, { from, upTo, mapBytes, windowBytes, nowMs });
    expect(to).toBeGreaterThan(from);
    expect(to).toBeLessThanOrEqual(upTo);
    log.cleanedUpTo = to;
    const rewrittenUpTo = bases.find((base) => base >= to) as number;
    this.model.compact({
      from,
      to,
      rewrittenUpTo,
      nowMs,
      deleteRetentionMs: DELETE_RETENTION_MS,
      minLagMs: MIN_LAG_MS,
    });
  }

  #truncate(backBy: number): void {
    const { log, model } = this;
    const offset = Math.max(model.start, model.end - backBy);
    if (offset >= model.end) return;
    log.truncateTo(offset);
    model.truncate(offset);
    this.#epoch += 1;
    for (const [id, sent] of this.#sent) if (sent.offset >= offset || isWithin(sent, offset)) this.#sent.delete(id);
    // Of a producer a compaction has left the last batch alone, and that may be cut off.
    this.#takeOverProducers(log.cleanedUpTo !== null);
  }

  #deleteRecords(thousandth: number): void {
    const { log, model } = this;
    const offset = model.start + Math.floor(((model.end - model.start) * thousandth) / 1000);
    log.advanceLogStartOffset(offset);
    this.#trimmed();
  }

  #retain(bytes: number): void {
    const { log } = this;
    log.updateConfig({ ...log.config, retentionBytes: bytes });
    log.deleteOldSegments(this.clock.now, log.logEndOffset);
    log.updateConfig({ ...log.config, retentionBytes: -1 });
    this.#trimmed();
  }

  #trimmed(): void {
    const { log, model } = this;
    expect(log.logStartOffset).toBeGreaterThanOrEqual(model.start);
    model.trim(log.logStartOffset, log.segments[0].baseOffset);
  }

  /**
   * A producer may be known otherwise than the model has it where `mayDiffer` says so, and then goes on as the log knows it; so may one whose
   * records are deleted.
   */
  #takeOverProducers(mayDiffer: boolean): void {
    for (const [id, { sequence, isDeleted }] of this.model.nextSequences()) {
      if (this.#nextSequence(id) === sequence) continue;
      expect([id, isDeleted || mayDiffer]).toEqual([id, true]);
      this.model.forgetProducer(id);
      this.#sent.delete(id);
    }
  }

  #reopen(clean: boolean): void {
    const { log } = this;
    const { logEndOffset, logStartOffset, recoveryPoint } = log;
    const cleanedUpTo = log.cleanedUpTo ?? undefined;
    if (clean) log.close();
    else log.abandon();
    const found = { recoveryPoint: clean ? logEndOffset : recoveryPoint, clean, cleanedUpTo, logStartOffset };
    this.log = this.#open(found);
    expect(this.log.logEndOffset).toBe(logEndOffset);
    this.#takeOverProducers(false);
  }

  #check(): void {
    const { log, model } = this;
    log.onHighWatermark(log.logEndOffset);
    expect([log.logStartOffset, log.logEndOffset]).toEqual([model.start, model.end]);
    expect(keptRecords(log)).toEqual(model.visible());
    for (const { offset } of model.aborted()) {
      const skipped = log.abortedTransactions(offset, offset + 1).some(({ firstOffset }) => firstOffset <= offset);
      expect(skipped).toBe(true);
    }
    for (const [id, { sequence, isDeleted }] of model.nextSequences()) {
      const known = this.#nextSequence(id);
      if (!isDeleted || known !== 0) expect([id, known]).toEqual([id, sequence]);
    }
  }
}

/** A batch that reaches `offset` goes as a whole. */
function isWithin({ bytes, offset: first }: { bytes: Buffer; offset: number }, offset: number): boolean {
  return first + bytes.readInt32BE(57) > offset;
}

test('a compaction keeps what it has to keep, at its offsets, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (steps) => {
      const run = new Run();
      for (const step of steps) await run.apply(step);
      run.log.close();
      checkIndexFiles(run.disk, run.log.dir);
    }),
    { numRuns: 200 },
  );
});
