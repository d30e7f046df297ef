/** What members do with the records that they have (KIP-932, KIP-1222), and what becomes of those they leave behind. */
import { KafkaError } from '../../../protocol/errors.ts';
import { RecordState } from '../state-batch.ts';
import { type Delivery, Transition } from './delivery.ts';
import type { InFlightBatch } from './in-flight-batch.ts';
import type { DeliveryLimits, ShareRecords } from './share-records.ts';

/** By the numbers of the wire; a gap is an offset without a record. */
export const AcknowledgeType = { GAP: 0, ACCEPT: 1, RELEASE: 2, REJECT: 3, RENEW: 4 } as const;

const STATES: Readonly<Record<number, RecordState>> = {
  [AcknowledgeType.GAP]: RecordState.ARCHIVED,
  [AcknowledgeType.ACCEPT]: RecordState.ACKNOWLEDGED,
  [AcknowledgeType.RELEASE]: RecordState.AVAILABLE,
  [AcknowledgeType.REJECT]: RecordState.ARCHIVED,
};

export interface AcknowledgementBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** One for all of the records, or one for each. */
  readonly types: readonly number[];
}

/** In whose name, under what limits and when. */
export interface Acknowledging {
  readonly memberId: string;
  readonly limits: DeliveryLimits;
  readonly nowMs: number;
}

/**
 * Begins to acknowledge: the transition is to be written, then committed or rolled back. Renewed locks run on at once. Throws
 * INVALID_RECORD_STATE or INVALID_REQUEST, and then nothing else has changed.
 */
export function acknowledge(
  records: ShareRecords,
  by: Acknowledging,
  batches: readonly AcknowledgementBatch[],
): Transition {
  const transition = new Transition();
  try {
    for (const batch of batches) acknowledgeBatch(records, by, batch, transition);
  } catch (error) {
    records.rollBack(transition, by.nowMs, by.limits);
    throw error;
  }
  return transition;
}

/** Begins to take back all that a member has: it is gone. */
export function release(records: ShareRecords, { memberId, limits }: Acknowledging): Transition {
  const transition = new Transition();
  const isHeld = (delivery: Delivery) => delivery.state === RecordState.ACQUIRED && delivery.memberId === memberId;
  for (const batch of records.batches) {
    if (batch.whole !== null && isHeld(batch.whole) && records.startsWithin(batch)) batch.split();
    for (const [delivery, first, last] of [...batch.deliveries()]) {
      if (!isHeld(delivery)) continue;
      const state = last < records.startOffset ? RecordState.ARCHIVED : RecordState.AVAILABLE;
      transition.begin(delivery, state, limits.deliveryCount, first, last);
    }
  }
  return transition;
}

function acknowledgeBatch(
  records: ShareRecords,
  by: Acknowledging,
  wanted: AcknowledgementBatch,
  transition: Transition,
): void {
  if (wanted.types.some((type) => type !== AcknowledgeType.RENEW && STATES[type] === undefined)) {
    throw new KafkaError('INVALID_REQUEST', `Invalid acknowledge type: [${wanted.types.join(', ')}]`);
  }
  // all of it is behind the group: whoever had it was too late, and that is no fault
  if (wanted.lastOffset < records.startOffset) return;
  for (const batch of inFlight(records, wanted)) {
    if (batch.lastOffset < records.startOffset) continue;
    if (batch.whole !== null) checkWhole(batch.whole, by.memberId);
    const isWhole = batch.isWithin(wanted.firstOffset, wanted.lastOffset) && wanted.types.length === 1;
    if (!isWhole || records.startsWithin(batch)) {
      if (batch.whole !== null && batch.whole.state !== RecordState.ACQUIRED) throw invalidState(SUBSET_NOT_ACQUIRED);
      batch.split();
    }
    const from = Math.max(wanted.firstOffset, records.startOffset);
    for (const [delivery, first, last] of [...batch.deliveries(from, wanted.lastOffset)]) {
      if (batch.whole === null) checkRecord(delivery, by.memberId);
      else if (delivery.state !== RecordState.ACQUIRED) throw invalidState(BATCH_NOT_ACQUIRED);
      const type = wanted.types.length === 1 ? wanted.types[0] : wanted.types[first - wanted.firstOffset];
      if (type === AcknowledgeType.RENEW) renew(records, delivery, by);
      else transition.begin(delivery, STATES[type], by.limits.deliveryCount, first, last);
    }
  }
}

/** The batches in flight that the acknowledgement is about. Throws where it reaches beyond. */
function inFlight({ batches, startOffset }: ShareRecords, wanted: AcknowledgementBatch): InFlightBatch[] {
  const { firstOffset, lastOffset } = wanted;
  const isStartInside = firstOffset < startOffset && lastOffset >= startOffset;
  const floor = batches.floor(firstOffset) ?? (isStartInside ? batches.floor(startOffset) : undefined);
  if (floor === undefined) throw invalidState(NOT_FOUND);
  const found = batches.between(floor.firstOffset, lastOffset);
  const end = found[found.length - 1].lastOffset;
  if (end < firstOffset) throw new KafkaError('INVALID_REQUEST', FIRST_BEYOND);
  if (end < lastOffset) throw new KafkaError('INVALID_REQUEST', LAST_BEYOND);
  return found;
}

function checkWhole(delivery: Delivery, memberId: string): void {
  if (delivery.memberId === '') throw invalidState(BATCH_NOT_ACQUIRED);
  if (delivery.memberId !== memberId) throw invalidState('Member is not the owner of batch record');
  if (delivery.isPending) throw invalidState(IN_TRANSITION);
}

function checkRecord(delivery: Delivery, memberId: string): void {
  if (delivery.state !== RecordState.ACQUIRED) throw invalidState(RECORD_NOT_ACQUIRED);
  if (delivery.isPending) throw invalidState(IN_TRANSITION);
  if (delivery.memberId !== memberId) throw invalidState('Member is not the owner of offset');
}

function renew(records: ShareRecords, delivery: Delivery, { limits, nowMs }: Acknowledging): void {
  if (!limits.isRenewEnabled) throw invalidState('Renewing acquisition locks is not enabled for the group.');
  delivery.lockedUntilMs = nowMs + limits.lockDurationMs;
  records.noteLock(delivery.lockedUntilMs);
}

const invalidState = (message: string): KafkaError => new KafkaError('INVALID_RECORD_STATE', message);

// what people are shown is as Kafka says it
const NOT_FOUND = 'Batch record not found. The request batch offsets are not found in the cache.';
const FIRST_BEYOND = 'Batch record not found. The first offset in request is past acquired records.';
const LAST_BEYOND = 'Batch record not found. The last offset in request is past acquired records.';
const BATCH_NOT_ACQUIRED = 'The batch cannot be acknowledged. The batch is not in the acquired state.';
const SUBSET_NOT_ACQUIRED = 'The batch cannot be acknowledged. The subset batch is not in the acquired state.';
const RECORD_NOT_ACQUIRED = 'The offset cannot be acknowledged. The offset is not acquired.';
const IN_TRANSITION = 'The record state is invalid. The acknowledgement of delivery could not be completed.';
