/**
 * What a share group has in flight of one partition (KIP-932): which of the records between the share-partition start offset
 * (SPSO) and end offset (SPEO) are with a member, done, or to be handed out again. Pure: time and limits are arguments.
 *
 *   startOffset (SPSO)   no record below is delivered any more; it only grows
 *   endOffset (SPEO)     the last record that has been handed out; where nothing is in flight, the next one to be handed out
 */
import { RecordState, type StateBatch } from '../state-batch.ts';
import { BatchList } from './batch-list.ts';
import { Delivery, stateBatch, type Transition } from './delivery.ts';
import { InFlightBatch } from './in-flight-batch.ts';

/** What the group's configuration says at the moment. */
export interface DeliveryLimits {
  /** How often a record is handed out at most. */
  readonly deliveryCount: number;
  readonly maxRecordLocks: number;
  readonly lockDurationMs: number;
  readonly isRenewEnabled: boolean;
}

/** Records that were not in the state that was read, from `startOffset` on, below batches that were. */
interface Gap {
  /** The end offset at that time: once that has moved the gaps below are filled. */
  readonly endOffset: number;
  startOffset: number;
}

export class ShareRecords {
  startOffset: number;
  endOffset: number;
  readonly batches = new BatchList();
  gap: Gap | null = null;
  /** False only where nothing in flight is available: then nobody has to look. */
  mayHaveAvailable = false;
  /** No lock is over before; it may lie too early, never too late. */
  private nextLockMs = Number.POSITIVE_INFINITY;

  /** Nothing is in flight: the record at `startOffset` is the next one. */
  constructor(startOffset: number) {
    this.startOffset = startOffset;
    this.endOffset = startOffset;
  }

  /** As the share coordinator has it: sorted batches. Throws Error where they cannot be. */
  static restore(startOffset: number, stateBatches: readonly StateBatch[]): ShareRecords {
    const records = new ShareRecords(startOffset);
    let previousLast = startOffset - 1;
    let gapStart: number | null = null;
    for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of stateBatches) {
      if (firstOffset <= previousLast || lastOffset < firstOffset) {
        throw new Error(`the state of offsets ${firstOffset} to ${lastOffset} cannot follow that of ${previousLast}`);
      }
      if (firstOffset > previousLast + 1) gapStart ??= previousLast + 1;
      previousLast = lastOffset;
      records.batches.add(
        new InFlightBatch(firstOffset, lastOffset, new Delivery(recordState(deliveryState), deliveryCount)),
      );
    }
    if (records.batches.isEmpty) return records;
    records.mayHaveAvailable = true;
    records.endOffset = previousLast;
    if (gapStart !== null) records.gap = { endOffset: previousLast, startOffset: gapStart };
    records.moveStart();
    return records;
  }

  get activeGap(): Gap | null {
    return this.gap !== null && this.gap.endOffset === this.endOffset ? this.gap : null;
  }

  /** Records from SPSO to SPEO, whatever has become of them. */
  get inFlightCount(): number {
    return this.batches.isEmpty ? 0 : this.endOffset - this.startOffset + 1;
  }

  /** Those among them that are acknowledged or archived. */
  get deliveryCompleteCount(): number {
    let count = 0;
    for (const batch of this.batches) {
      for (const [delivery, first, last] of batch.deliveries(this.startOffset, this.endOffset)) {
        if (delivery.isDone) count += last - first + 1;
      }
    }
    return count;
  }

  /** Where the next fetch has to read: a record that is to be handed out again, a gap, or what is new. */
  nextFetchOffset(): number {
    const { last } = this.batches;
    if (last === undefined || this.startOffset > last.lastOffset) {
      this.mayHaveAvailable = false;
      return this.endOffset;
    }
    const found = this.mayHaveAvailable ? this.firstAvailable() : null;
    if (found !== null) return found;
    this.mayHaveAvailable = false;
    return this.endOffset + 1;
  }

  private firstAvailable(): number | null {
    const gap = this.activeGap;
    let gapStart = gap?.startOffset ?? -1;
    for (const batch of this.batches) {
      if (gap !== null) {
        if (batch.firstOffset > gapStart) return gapStart;
        gapStart = Math.max(gapStart, batch.lastOffset + 1);
      }
      for (const [delivery, first] of batch.deliveries()) if (delivery.isAvailable) return first;
    }
    return null;
  }

  /** Whether a fetch may get anything: what was handed out before is not limited. */
  canAcquire(limits: DeliveryLimits): boolean {
    return this.nextFetchOffset() !== this.endOffset + 1 || this.inFlightCount < limits.maxRecordLocks;
  }

  /** The gap has been read up to `offset`: it goes on where the next record is missing, if one is. */
  fillGap(offset: number): void {
    if (this.gap === null) return;
    const gap = this.activeGap;
    let next = Math.max(offset, gap?.startOffset ?? 0);
    for (const batch of this.batches) {
      if (batch.firstOffset > next) break;
      next = Math.max(next, batch.lastOffset + 1);
    }
    if (gap === null || next > gap.endOffset) this.gap = null;
    else gap.startOffset = next;
  }

  noteLock(lockedUntilMs: number): void {
    this.nextLockMs = Math.min(this.nextLockMs, lockedUntilMs);
  }

  /** When to call `expireLocks` next; null while nothing is locked. */
  get nextExpiryMs(): number | null {
    return this.nextLockMs === Number.POSITIVE_INFINITY ? null : this.nextLockMs;
  }

  /** Takes records back whose members have had their time, and says what has become of them. */
  expireLocks(nowMs: number, limits: DeliveryLimits): StateBatch[] {
    const expired: StateBatch[] = [];
    this.nextLockMs = Number.POSITIVE_INFINITY;
    for (const batch of this.batches) {
      const isOver = batch.whole?.state === RecordState.ACQUIRED && isLockOver(batch.whole, nowMs);
      if (isOver && this.startsWithin(batch)) batch.split();
      for (const [delivery, first, last] of batch.deliveries()) {
        if (isLockOver(delivery, nowMs)) {
          if (delivery.state !== RecordState.ACQUIRED) continue;
          delivery.settle(last < this.startOffset ? RecordState.ARCHIVED : RecordState.AVAILABLE, limits.deliveryCount);
          if (delivery.isAvailable) this.mayHaveAvailable = true;
          expired.push(stateBatch(delivery, first, last));
        } else if (delivery.lockedUntilMs !== null) {
          this.noteLock(delivery.lockedUntilMs);
        }
      }
    }
    return expired;
  }

  /** The transition has been written. */
  commit({ deliveries }: Transition): boolean {
    for (const delivery of deliveries) {
      delivery.commit();
      if (delivery.isAvailable) this.mayHaveAvailable = true;
    }
    return this.moveStart();
  }

  /** The transition could not be written. */
  rollBack({ deliveries }: Transition, nowMs: number, limits: DeliveryLimits): void {
    for (const delivery of deliveries) {
      delivery.rollBack(nowMs, limits.deliveryCount);
      if (delivery.isAvailable) this.mayHaveAvailable = true;
      if (delivery.lockedUntilMs !== null) this.noteLock(delivery.lockedUntilMs);
    }
  }

  /** The start offset lies inside of the batch: records below it are treated otherwise. */
  startsWithin({ firstOffset, lastOffset }: { readonly firstOffset: number; readonly lastOffset: number }): boolean {
    return firstOffset < this.startOffset && lastOffset >= this.startOffset;
  }

  /**
   * Archives the records in [from, to) that are in `state`; true where there were any. Those that somebody else is about to change
   * stay archived whatever becomes of that.
   */
  archive(from: number, to: number, state: RecordState): boolean {
    let isAny = false;
    for (const batch of this.batches) {
      if (batch.firstOffset >= to) break;
      if (batch.lastOffset < from || (batch.whole !== null && batch.whole.state !== state)) continue;
      if (!batch.isWithin(from, to - 1)) batch.split();
      for (const [delivery] of batch.deliveries(from, to - 1)) {
        if (delivery.state !== state) continue;
        delivery.archive();
        isAny = true;
      }
    }
    return isAny;
  }

  /** The log begins later than the group has come: records are gone that nobody has. */
  moveToLogStart(logStartOffset: number): void {
    if (logStartOffset <= this.startOffset) return;
    if (this.batches.isEmpty) {
      this.startOffset = logStartOffset;
      this.endOffset = logStartOffset;
      return;
    }
    if (this.archive(this.startOffset, logStartOffset, RecordState.AVAILABLE)) this.mayHaveAvailable = true;
    this.startOffset = logStartOffset;
    this.endOffset = Math.max(this.endOffset, logStartOffset);
  }

  /** Moves the start offset over what is done; true where it has been looked at. */
  moveStart(): boolean {
    if (!this.isStartDone()) return false;
    const done = this.lastDone();
    const { last } = this.batches;
    if (done === null || last === undefined) return false;
    if (done === last.lastOffset) {
      this.batches.clear();
      this.startOffset = Math.max(this.startOffset, done + 1);
      this.endOffset = this.startOffset;
      return true;
    }
    const batch = this.batches.floor(done) as InFlightBatch;
    let next = done + 1;
    if (done === batch.lastOffset) {
      next = (this.batches.higher(done) as InFlightBatch).firstOffset;
      if (this.activeGap !== null) next = Math.min(next, this.activeGap.startOffset);
    }
    this.startOffset = Math.max(this.startOffset, next);
    this.batches.removeBelow(done === batch.lastOffset ? batch.firstOffset + 1 : batch.firstOffset);
    return true;
  }

  private isStartDone(): boolean {
    const batch = this.batches.floor(this.startOffset);
    if (batch === undefined) return false;
    if (batch.whole === null && batch.lastOffset < this.startOffset) return true;
    const delivery = batch.at(this.startOffset);
    return delivery.isDone && !delivery.isPending;
  }

  /** The last record before one that is not done; null where the first is not. */
  private lastDone(): number | null {
    let done: number | null = null;
    for (const batch of this.batches) {
      if (this.activeGap !== null && batch.lastOffset >= this.activeGap.startOffset) return done;
      for (const [delivery, , last] of batch.deliveries()) {
        if (!delivery.isDone || delivery.isPending) return done;
        done = last;
      }
    }
    return done;
  }
}

const isLockOver = ({ lockedUntilMs }: Delivery, nowMs: number): boolean =>
  lockedUntilMs !== null && lockedUntilMs <= nowMs;

const STATES: ReadonlySet<number> = new Set(Object.values(RecordState));

function recordState(id: number): RecordState {
  if (!STATES.has(id)) throw new Error(`there is no state ${id} of a record`);
  return id as RecordState;
}
