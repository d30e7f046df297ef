/**
 * The state machine of a share partition against a plain model, which knows each record by itself: who has it and until when, how often
 * it was delivered, whether it is done.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KafkaError } from '../../protocol/errors.ts';
import { acknowledge, release } from '../../src/share/partition/acknowledge.ts';
import { acquire, type FetchedBatch } from '../../src/share/partition/acquire.ts';
import type { Transition } from '../../src/share/partition/delivery.ts';
import { type DeliveryLimits, ShareRecords } from '../../src/share/partition/share-records.ts';
import { combineBatches, RecordState, type StateBatch } from '../../src/share/state-batch.ts';

const LIMITS: DeliveryLimits = { deliveryCount: 4, maxRecordLocks: 40, lockDurationMs: 100, isRenewEnabled: true };
const MEMBERS = ['a', 'b', 'c'];

interface ModelRecord {
  memberId: string | null;
  lockedUntilMs: number;
  deliveries: number;
  /** What has been written of it: acknowledged or archived. */
  isDone: boolean;
}

/** A share partition and what it is to do, each step checked. */
class World {
  records = new ShareRecords(0);
  nowMs = 0;
  readonly log: FetchedBatch[] = [];
  readonly model: ModelRecord[] = [];
  /** What the share coordinator has. */
  private written: StateBatch[] = [];
  private writtenStart = 0;
  private pending: Transition[] = [];
  private previousStart = 0;

  append(count: number): void {
    const baseOffset = this.model.length;
    this.log.push({ baseOffset, lastOffset: baseOffset + count - 1 });
    for (let i = 0; i < count; i++) this.model.push({ memberId: null, lockedUntilMs: 0, deliveries: 0, isDone: false });
  }

  fetch(memberId: string, maxRecords: number, isLimited: boolean): number {
    const fetchOffset = this.records.nextFetchOffset();
    const batches = this.log.filter(({ lastOffset }) => lastOffset >= fetchOffset);
    if (batches.length === 0 || !this.records.canAcquire(LIMITS)) return 0;
    const mode = isLimited ? 'record-limit' : 'batch-optimized';
    const request = { memberId, mode, batchSize: 5, maxRecords, fetchOffset, batches, aborted: [] } as const;
    const acquired = acquire(this.records, request, LIMITS, this.nowMs);
    let count = 0;
    for (const { firstOffset, lastOffset, deliveryCount } of acquired) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        const record = this.model[offset];
        expect(record, `record ${offset} is in the log`).toBeDefined();
        expect(record.memberId, `record ${offset} is free`).toBeNull();
        expect(record.isDone, `record ${offset} is not done`).toBe(false);
        expect(deliveryCount).toBe(record.deliveries + 1);
        expect(deliveryCount).toBeLessThanOrEqual(LIMITS.deliveryCount);
        Object.assign(record, {
          memberId,
          lockedUntilMs: this.nowMs + LIMITS.lockDurationMs,
          deliveries: deliveryCount,
        });
        count++;
      }
    }
    if (isLimited) expect(count).toBeLessThanOrEqual(maxRecords);
    return count;
  }

  /** Acknowledges a range if the member has all of it, and otherwise must be refused and change nothing. */
  acknowledge(memberId: string, firstOffset: number, lastOffset: number, type: number): void {
    const first = Math.max(firstOffset, this.records.startOffset);
    const asked = this.model.slice(first, lastOffset + 1);
    const mayBe = asked.length === lastOffset - first + 1 && asked.every((record) => record.memberId === memberId);
    const batches = [{ firstOffset, lastOffset, types: [type] }];
    const by = { memberId, limits: LIMITS, nowMs: this.nowMs };
    if (lastOffset >= this.records.startOffset && !mayBe) {
      const before = this.dump();
      expect(() => acknowledge(this.records, by, batches)).toThrow(KafkaError);
      expect(this.dump()).toEqual(before);
      // locks that were renewed before the refusal stay renewed
      for (const [i, record] of asked.entries()) {
        const batch = this.records.batches.floor(first + i);
        const isInFlight = batch !== undefined && first + i <= batch.lastOffset;
        if (isInFlight) record.lockedUntilMs = batch.at(first + i).lockedUntilMs ?? 0;
      }
      return;
    }
    const transition = acknowledge(this.records, by, batches);
    if (type === 4) for (const record of asked) record.lockedUntilMs = this.nowMs + LIMITS.lockDurationMs;
    this.begin(transition);
  }

  release(memberId: string): void {
    this.begin(release(this.records, { memberId, limits: LIMITS, nowMs: this.nowMs }));
  }

  /** While it is being written nobody may have the records, and it is not known yet what becomes of them. */
  private begin(transition: Transition): void {
    if (transition.isEmpty) return;
    for (const record of this.covered(transition.stateBatches)) record.memberId = 'in transition';
    this.pending.push(transition);
  }

  finish(isWritten: boolean): void {
    const transition = this.pending.shift();
    if (transition === undefined) return;
    const owners = new Map(transition.deliveries.map((delivery) => [delivery, delivery]));
    expect(owners.size).toBe(transition.deliveries.length);
    if (isWritten) {
      this.write(transition.stateBatches);
      this.records.commit(transition);
    } else {
      this.records.rollBack(transition, this.nowMs, LIMITS);
    }
    for (const batch of transition.stateBatches) {
      for (const [offset, record] of this.range(batch)) {
        const delivery = this.records.batches.floor(offset)?.at(offset);
        const isBehind = offset < this.records.startOffset || delivery === undefined;
        record.isDone = isBehind || delivery.isDone;
        record.memberId = isBehind || delivery.memberId === '' ? null : delivery.memberId;
        if (isWritten) expect(record.isDone).toBe(batch.deliveryState !== RecordState.AVAILABLE);
      }
    }
    this.check();
  }

  pass(ms: number): void {
    this.nowMs += ms;
    const dueMs = this.records.nextExpiryMs;
    const due = this.model.filter(({ memberId, lockedUntilMs }) => isMember(memberId) && lockedUntilMs <= this.nowMs);
    if (due.length > 0) expect(dueMs).toBeLessThanOrEqual(this.nowMs);
    const expired = this.records.expireLocks(this.nowMs, LIMITS);
    for (const batch of expired) {
      for (const [, record] of this.range(batch)) {
        expect(isMember(record.memberId) && record.lockedUntilMs <= this.nowMs).toBe(true);
        record.memberId = null;
        record.isDone = batch.deliveryState === RecordState.ARCHIVED;
        expect(record.isDone).toBe(record.deliveries >= LIMITS.deliveryCount);
      }
    }
    expect(this.model.some(({ memberId, lockedUntilMs }) => isMember(memberId) && lockedUntilMs <= this.nowMs)).toBe(
      false,
    );
    if (expired.length > 0) this.write(expired);
    this.records.moveStart();
    this.check();
  }

  /** The leader moves: what was not written is lost, what was is there. */
  restart(): void {
    this.pending = [];
    this.records = ShareRecords.restore(this.writtenStart, this.written);
    for (const [offset, record] of this.model.entries()) {
      const known = this.written.find((b) => b.firstOffset <= offset && b.lastOffset >= offset);
      record.memberId = null;
      record.isDone =
        offset < this.writtenStart || (known !== undefined && known.deliveryState !== RecordState.AVAILABLE);
      if (!record.isDone) record.deliveries = known?.deliveryCount ?? 0;
    }
    this.previousStart = this.records.startOffset;
    this.check();
  }

  /** All is delivered and accepted at last. */
  drain(): void {
    for (let round = 0; round < 400; round++) {
      while (this.pending.length > 0) this.finish(true);
      this.pass(LIMITS.lockDurationMs);
      const before = this.model.filter(({ memberId }) => memberId === 'z').length;
      if (this.fetch('z', 10, round % 2 === 0) === 0 && before === 0) break;
      for (const [offset, { memberId }] of this.model.entries()) {
        if (memberId === 'z') this.acknowledge('z', offset, offset, 1);
      }
    }
    expect(this.model.filter(({ isDone }) => !isDone)).toEqual([]);
    expect(this.records.startOffset).toBe(this.model.length);
    expect(this.records.inFlightCount).toBe(0);
  }

  private check(): void {
    expect(this.records.startOffset).toBeGreaterThanOrEqual(this.previousStart);
    this.previousStart = this.records.startOffset;
    for (const [offset, record] of this.model.entries()) {
      if (offset < this.records.startOffset)
        expect(record.isDone, `record ${offset} below the start is done`).toBe(true);
    }
    const inFlight = this.model.slice(this.records.startOffset, this.records.endOffset + 1);
    if (this.pending.length === 0) {
      expect(this.records.deliveryCompleteCount).toBe(inFlight.filter(({ isDone }) => isDone).length);
    }
  }

  private write(batches: readonly StateBatch[]): void {
    this.writtenStart = Math.max(this.writtenStart, this.records.startOffset);
    this.written = combineBatches([...this.written, ...batches], this.writtenStart);
  }

  private *range({ firstOffset, lastOffset }: StateBatch): IterableIterator<[number, ModelRecord]> {
    for (let offset = firstOffset; offset <= lastOffset; offset++) yield [offset, this.model[offset]];
  }

  private covered(batches: readonly StateBatch[]): ModelRecord[] {
    return batches.flatMap((batch) => [...this.range(batch)].map(([, record]) => record));
  }

  private dump() {
    return [...this.records.batches].flatMap((batch) =>
      this.model.slice(batch.firstOffset, batch.lastOffset + 1).map((_, i) => {
        const { state, deliveryCount, memberId, isPending } = batch.at(batch.firstOffset + i);
        return { state, deliveryCount, memberId, isPending };
      }),
    );
  }
}

const isMember = (memberId: string | null): boolean => memberId !== null && memberId !== 'in transition';

const member = fc.constantFrom(...MEMBERS);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('fetch' as const),
      member,
      max: fc.integer({ min: 1, max: 12 }),
      limited: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('acknowledge' as const),
      member,
      from: fc.integer({ min: -3, max: 20 }),
      more: fc.nat(6),
      type: fc.constantFrom(1, 1, 1, 2, 2, 3, 0, 4),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), member }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('finish' as const), ok: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 120 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

test('no record is with two members, none is lost, and the start only grows, through failures and restarts', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const world = new World();
      for (const one of steps) {
        if (one.kind === 'append') world.append(one.count);
        else if (one.kind === 'fetch') world.fetch(one.member, one.max, one.limited);
        else if (one.kind === 'release') world.release(one.member);
        else if (one.kind === 'finish') world.finish(one.ok);
        else if (one.kind === 'pass') world.pass(one.ms);
        else if (one.kind === 'restart') world.restart();
        else {
          const first = Math.max(0, world.records.startOffset + one.from);
          world.acknowledge(one.member, first, first + one.more, one.type);
        }
      }
      world.drain();
    }),
    { numRuns: 1000 },
  );
});
