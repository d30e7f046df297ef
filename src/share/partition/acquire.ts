/** Handing out records of a share partition to a member (KIP-932, KIP-1206). */
import { RecordState } from '../state-batch.ts';
import { Delivery } from './delivery.ts';
import { InFlightBatch } from './in-flight-batch.ts';
import type { DeliveryLimits, ShareRecords } from './share-records.ts';

/** A batch of the log that has been read, by its header. */
export interface FetchedBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
}

/** How the number of records that a member asks for is meant. */
export type AcquireMode =
  /** About so many: batches of the log stay whole. */
  | 'batch-optimized'
  /** No more than that. */
  | 'record-limit';

export interface AcquireRequest {
  readonly memberId: string;
  readonly mode: AcquireMode;
  /** The most records that are acquired as one, in batch-optimized mode. */
  readonly batchSize: number;
  readonly maxRecords: number;
  /** From where the batches were read. */
  readonly fetchOffset: number;
  /** What has been read: at least one, in order. */
  readonly batches: readonly FetchedBatch[];
  /** Those among them that belong to aborted transactions and must not be delivered. */
  readonly aborted: readonly FetchedBatch[];
}

/** Records in a row that the member has now, all of them delivered equally often. */
export interface AcquiredRecords {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

/** Records that were delivered half as often as they may be, but at least so often, come fewer at a time: one of them may be bad. */
const THROTTLE_FROM_DELIVERIES = 2;

/** Gives the member what it may have of the batches that were read. */
export function acquire(
  records: ShareRecords,
  request: AcquireRequest,
  limits: DeliveryLimits,
  nowMs: number,
): AcquiredRecords[] {
  return new Acquisition(records, request, limits, nowMs).run();
}

class Acquisition {
  private readonly records: ShareRecords;
  private readonly request: AcquireRequest;
  private readonly limits: DeliveryLimits;
  private readonly lockedUntilMs: number;
  private readonly acquired: AcquiredRecords[] = [];
  private count = 0;
  private maxRecords: number;
  /** Nothing behind may be acquired. */
  private lastOffset: number;

  constructor(records: ShareRecords, request: AcquireRequest, limits: DeliveryLimits, nowMs: number) {
    this.records = records;
    this.request = request;
    this.limits = limits;
    this.lockedUntilMs = nowMs + limits.lockDurationMs;
    this.lastOffset = request.batches[request.batches.length - 1].lastOffset;
    this.maxRecords = Math.min(request.maxRecords, limits.maxRecordLocks - records.inFlightCount);
    if (this.maxRecords <= 0) this.limitToInFlight();
  }

  /** There are as many records in flight as there may be: only what has been handed out before can be handed out again. */
  private limitToInFlight(): void {
    const { fetchOffset, maxRecords } = this.request;
    const { endOffset } = this.records;
    if (fetchOffset > endOffset) return;
    this.maxRecords = Math.min(maxRecords, endOffset - fetchOffset + 1);
    this.lastOffset = Math.min(this.lastOffset, endOffset);
  }

  private get remaining(): number {
    return this.maxRecords - this.count;
  }

  run(): AcquiredRecords[] {
    const { records, request } = this;
    if (this.maxRecords <= 0 || this.lastOffset < records.startOffset) return [];
    const fetchedFrom = request.batches[0].baseOffset;
    this.archiveMissing(fetchedFrom);
    const from = this.firstOffset(fetchedFrom);
    const inFlight = records.batches.between(Math.min(fetchedFrom, from), this.lastOffset);
    if (inFlight.length === 0) this.acquireNew(from, this.lastOffset);
    else this.acquireAmong(inFlight, fetchedFrom, from);
    return request.aborted.length === 0 ? this.acquired : this.withoutAborted();
  }

  /** What lay between the offset that was asked for and what was read is not in the log any more. */
  private archiveMissing(fetchedFrom: number): void {
    const { records, request } = this;
    if (records.batches.isEmpty || request.fetchOffset >= fetchedFrom) return;
    if (records.archive(request.fetchOffset, fetchedFrom, RecordState.AVAILABLE)) records.mayHaveAvailable = true;
  }

  /** Where to begin: with the batch in flight that holds the first record read, and not below the start offset. */
  private firstOffset(fetchedFrom: number): number {
    const floor = this.records.batches.floor(fetchedFrom);
    if (floor === undefined) return Math.max(fetchedFrom, this.records.startOffset);
    return floor.lastOffset >= fetchedFrom ? floor.firstOffset : fetchedFrom;
  }

  private acquireAmong(inFlight: readonly InFlightBatch[], fetchedFrom: number, from: number): void {
    let gapStart = from;
    for (const batch of inFlight) {
      if (this.remaining <= 0) break;
      if (this.records.activeGap !== null) {
        if (gapStart < batch.firstOffset) this.acquireNew(gapStart, batch.firstOffset - 1);
        gapStart = batch.lastOffset + 1;
        if (this.remaining <= 0) break;
      }
      this.acquireAgain(batch, fetchedFrom);
    }
    const end = inFlight[inFlight.length - 1].lastOffset;
    if (this.remaining > 0 && end < this.lastOffset) this.acquireNew(end + 1, this.lastOffset);
    const last = this.acquired.at(-1);
    if (last !== undefined) this.records.fillGap(last.lastOffset + 1);
  }

  /** What is available of a batch in flight: the whole of it, or record by record. */
  private acquireAgain(batch: InFlightBatch, fetchedFrom: number): void {
    const isThrottled = this.isThrottled(batch, fetchedFrom);
    if (isThrottled && this.count > 0) {
      this.maxRecords = 0;
      return;
    }
    const isTooLarge = this.request.mode === 'record-limit' && batch.size > this.remaining;
    if (batch.whole !== null) {
      if (!batch.whole.isAvailable) return;
      if (batch.isWithin(fetchedFrom, this.lastOffset) && !isTooLarge && !isThrottled) {
        const { whole, firstOffset, lastOffset } = batch;
        this.lock(whole);
        this.add([{ firstOffset, lastOffset, deliveryCount: whole.deliveryCount }]);
        return;
      }
      batch.split();
    }
    const before = this.count;
    this.acquireSome(batch, fetchedFrom);
    if (isThrottled && this.count > before) this.maxRecords = 0;
  }

  private isThrottled(batch: InFlightBatch, fetchedFrom: number): boolean {
    const limit = throttleLimit(this.limits);
    const range = batch.whole === null ? ([fetchedFrom, this.lastOffset] as const) : [];
    for (const [delivery] of batch.deliveries(...range)) {
      if (delivery.isAvailable && delivery.deliveryCount >= limit) return true;
    }
    return false;
  }

  /**
   * Available records of a batch one by one. Of those that have often been delivered fewer are taken, half as many with each delivery
   * more; one that has its last delivery before it comes alone.
   */
  private acquireSome(batch: InFlightBatch, fetchedFrom: number): void {
    const { deliveryCount: limit } = this.limits;
    const max = this.request.mode === 'record-limit' ? this.remaining : Number.POSITIVE_INFINITY;
    const limitsLast = limit > THROTTLE_FROM_DELIVERIES;
    const taken: AcquiredRecords[] = [];
    let throttledMax: number | null = null;
    for (const [delivery, offset] of batch.deliveries(fetchedFrom, this.lastOffset)) {
      if (!delivery.isAvailable) continue;
      if (limitsLast && delivery.deliveryCount === limit - 1 && taken.length > 0) break;
      const beyond = delivery.deliveryCount - throttleLimit(this.limits);
      if (beyond >= 0) throttledMax ??= Math.max(1, batch.size >> (beyond + 1));
      this.lock(delivery);
      taken.push({ firstOffset: offset, lastOffset: offset, deliveryCount: delivery.deliveryCount });
      if (limitsLast && delivery.deliveryCount === limit) break;
      if (taken.length === max || taken.length === throttledMax) break;
    }
    this.add(joined(taken));
  }

  /** Records that nobody has had, or that were missing in the state that was read. */
  private acquireNew(from: number, to: number): void {
    const { records, request } = this;
    const first = records.batches.isEmpty ? Math.max(from, records.endOffset) : from;
    let last = to;
    if (this.remaining < last - first + 1) {
      last = endOfBatch(request.batches, first + this.remaining - 1);
      if (records.activeGap !== null) last = Math.min(last, to);
    }
    if (last < first) return;
    const taken =
      request.mode === 'record-limit' ? this.addLimited(first, last) : this.addBatches(first, last, request.batchSize);
    if (records.batches.first?.firstOffset === first) records.startOffset = Math.max(records.startOffset, first);
    records.endOffset = Math.max(records.endOffset, last);
    records.fillGap(taken[taken.length - 1].lastOffset + 1);
    this.add(taken);
  }

  /** In pieces that end where batches of the log end, as soon as one has enough. */
  private addBatches(first: number, last: number, batchSize: number): AcquiredRecords[] {
    const taken: AcquiredRecords[] = [];
    let from = first;
    const take = (to: number) => {
      taken.push(this.addBatch(from, to));
      from = to + 1;
    };
    for (const { baseOffset } of last - first + 1 > batchSize ? this.request.batches : []) {
      if (baseOffset > last) break;
      if (baseOffset - from >= batchSize) take(baseOffset - 1);
    }
    take(last);
    return taken;
  }

  private addBatch(firstOffset: number, lastOffset: number): AcquiredRecords {
    const delivery = new Delivery(RecordState.AVAILABLE, 0);
    this.lock(delivery);
    this.records.batches.add(new InFlightBatch(firstOffset, lastOffset, delivery));
    return { firstOffset, lastOffset, deliveryCount: delivery.deliveryCount };
  }

  /** The rest of the last batch of the log is in flight from now on, too, and available. */
  private addLimited(firstOffset: number, lastOffset: number): AcquiredRecords[] {
    const lastAcquired = Math.min(lastOffset, firstOffset + this.remaining - 1);
    if (lastAcquired === lastOffset) return [this.addBatch(firstOffset, lastOffset)];
    const delivery = new Delivery(RecordState.AVAILABLE, 0);
    this.lock(delivery);
    this.records.batches.add(InFlightBatch.partly(firstOffset, lastOffset, lastAcquired, delivery));
    this.records.mayHaveAvailable = true;
    return [{ firstOffset, lastOffset: lastAcquired, deliveryCount: delivery.deliveryCount }];
  }

  private lock(delivery: Delivery): void {
    delivery.acquire(this.request.memberId, this.lockedUntilMs);
    this.records.noteLock(this.lockedUntilMs);
  }

  private add(taken: readonly AcquiredRecords[]): void {
    for (const one of taken) {
      this.acquired.push(one);
      this.count += one.lastOffset - one.firstOffset + 1;
    }
  }

  /** Records of aborted transactions are done with: nobody gets them. */
  private withoutAborted(): AcquiredRecords[] {
    const { aborted } = this.request;
    for (const { baseOffset, lastOffset } of aborted) {
      this.records.archive(baseOffset, lastOffset + 1, RecordState.ACQUIRED);
    }
    return this.acquired.flatMap((one) => cut(one, aborted));
  }
}

function throttleLimit({ deliveryCount }: DeliveryLimits): number {
  return Math.max(THROTTLE_FROM_DELIVERIES, Math.ceil(deliveryCount / 2));
}

/** The end of the batch that holds `offset`; the offset itself where none does. */
function endOfBatch(batches: readonly FetchedBatch[], offset: number): number {
  const batch = batches.findLast(({ baseOffset }) => baseOffset <= offset);
  return batch === undefined ? offset : Math.max(offset, batch.lastOffset);
}

/** Records that follow on each other and were delivered equally often, in one. */
function joined(taken: readonly AcquiredRecords[]): AcquiredRecords[] {
  const runs: AcquiredRecords[] = [];
  for (const one of taken) {
    const last = runs.at(-1);
    if (last !== undefined && last.lastOffset + 1 === one.firstOffset && last.deliveryCount === one.deliveryCount) {
      runs[runs.length - 1] = { ...last, lastOffset: one.lastOffset };
    } else {
      runs.push(one);
    }
  }
  return runs;
}

/** What is left of the records without those of the batches, which are in order. */
function cut(acquired: AcquiredRecords, batches: readonly FetchedBatch[]): AcquiredRecords[] {
  const left: AcquiredRecords[] = [];
  let from = acquired.firstOffset;
  for (const { baseOffset, lastOffset } of batches) {
    if (lastOffset < from || baseOffset > acquired.lastOffset) continue;
    if (baseOffset > from) left.push({ ...acquired, firstOffset: from, lastOffset: baseOffset - 1 });
    from = lastOffset + 1;
  }
  if (from <= acquired.lastOffset) left.push({ ...acquired, firstOffset: from });
  return left;
}
