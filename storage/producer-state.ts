/**
 * The producers that a log knows (KIP-98): whether a batch of theirs may follow, is one seen before, or is from an epoch gone by;
 * and which transactions are open. It is a function of the batches in the log, in order, less what has expired.
 */
import {
  attributes,
  baseOffset,
  baseSequence,
  CONTROL_BIT,
  hasProducerId,
  lastOffset,
  lastOffsetDelta,
  maxTimestamp,
  producerEpoch,
  producerId,
  sizeBytes,
  TRANSACTIONAL_BIT,
} from '../protocol/records/batch.ts';
import { LogError } from './log-error.ts';
import { addToSequence, NO_EPOCH, NO_SEQUENCE, type ProducerBatch, ProducerEntry } from './producer-entry.ts';
import { readTransactionMarker, type TransactionMarker } from './transaction-marker.ts';
import { type Verification, type VerificationGuard, Verifications } from './verification.ts';

/** Who appends (Kafka's AppendOrigin): decides how much of the producer state is checked. */
export type AppendOrigin = 'client' | 'coordinator' | 'raft';

export interface CompletedTransaction {
  producerId: number;
  firstOffset: number;
  /** Of the marker. */
  lastOffset: number;
  aborted: boolean;
  /** Where the log is stable up to now that this transaction has ended. */
  lastStableOffset: number;
}

interface Transaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of the marker; -1 while there is none. */
  lastOffset: number;
}

/** What an append of a transaction is checked against beside the log's own state (KIP-890). */
export interface TransactionChecks {
  /** Of the coordinator who writes a marker; -1 for anything else. */
  readonly transactionVersion?: number;
  /** What `startVerification` gave; null where it was not asked. Not given: nobody has to ask. */
  readonly verification?: VerificationGuard | null;
}

const MAX_EPOCH = 32_767;
const MAX_SEQUENCE = 0x7fff_ffff;

export class ProducerState {
  readonly entries = new Map<number, ProducerEntry>();
  readonly #verifications = new Verifications();
  /** Open transactions by first offset, which is the order in which they begin. */
  #open: Transaction[] = [];
  /** Ended, but the marker may still be lost: not below the high watermark yet. In the order of their first offsets. */
  #unreplicated: Transaction[] = [];

  /** Start of the first transaction that is not decided for good, or null. */
  get firstUnstableOffset(): number | null {
    const open = this.#open.length > 0 ? this.#open[0].firstOffset : Number.POSITIVE_INFINITY;
    const unreplicated = this.#unreplicated.length > 0 ? this.#unreplicated[0].firstOffset : Number.POSITIVE_INFINITY;
    const first = Math.min(open, unreplicated);
    return first === Number.POSITIVE_INFINITY ? null : first;
  }

  hasOpenTransaction(id: number): boolean {
    return (this.entries.get(id)?.transactionFirstOffset ?? -1) >= 0;
  }

  onHighWatermark(highWatermark: number): void {
    if (this.#unreplicated.length === 0) return;
    this.#unreplicated = this.#unreplicated.filter((transaction) => transaction.lastOffset >= highWatermark);
  }

  /**
   * Whether these batches may be appended by a leader; throws a LogError when not. A batch that a client has sent before is returned:
   * then nothing is to be appended. Offsets have to be in the batches already.
   */
  check(buf: Buffer, origin: AppendOrigin, checks: TransactionChecks): ProducerBatch | null {
    if (sizeBytes(buf, 0) === buf.length) return this.#checkBatch(this, buf, 0, origin, checks);
    // Several batches: each is checked against what those before it would leave behind.
    const view = new ProducerView(this);
    for (let at = 0; at < buf.length; at += sizeBytes(buf, at)) {
      const duplicate = this.#checkBatch(view, buf, at, origin, checks);
      if (duplicate !== null) return duplicate;
      if (hasProducerId(buf, at)) updateEntry(view.forUpdate(producerId(buf, at)), buf, at, readMarker(buf, at));
    }
    return null;
  }

  #checkBatch(
    view: { get(id: number): ProducerEntry | undefined },
    buf: Buffer,
    at: number,
    origin: AppendOrigin,
    { transactionVersion = -1, verification }: TransactionChecks,
  ): ProducerBatch | null {
    if (!hasProducerId(buf, at)) return null;
    const entry = view.get(producerId(buf, at));
    if ((attributes(buf, at) & CONTROL_BIT) !== 0) {
      const marker = readTransactionMarker(buf, at);
      if (marker !== null && entry !== undefined) checkMarker(entry, buf, at, marker, transactionVersion);
      return null;
    }
    const duplicate = entry === undefined || origin !== 'client' ? null : duplicateIn(entry, buf, at);
    if (duplicate !== null) return duplicate;
    if (entry !== undefined) checkEpoch(entry, producerEpoch(buf, at), producerEpoch(buf, at) < entry.epoch);
    const under = this.#verifications.get(producerId(buf, at));
    if (verification !== undefined) checkVerified(entry, buf, at, verification, under);
    if (under !== undefined && origin === 'client') checkFirstSequence(entry, buf, at, under);
    if (entry !== undefined) checkData(entry, buf, at, origin);
    return null;
  }

  /**
   * The producer is about to begin a transaction in this partition: its coordinator is to be asked whether it may, and the batch
   * to be appended with the guard. Null where the transaction is there already. `sequence` is the first batch's, `raisesEpoch`
   * whether the client goes by KIP-890's protocol. Throws LogError.
   */
  startVerification(
    id: number,
    sequence: number,
    epoch: number,
    raisesEpoch: boolean,
    nowMs: number,
  ): VerificationGuard | null {
    const entry = this.entries.get(id);
    if (entry !== undefined) checkEpoch(entry, epoch, epoch < entry.epoch);
    if (entry !== undefined && isInTransaction(entry, epoch)) return null;
    return this.#verifications.start(id, sequence, epoch, raisesEpoch, nowMs);
  }

  get(id: number): ProducerEntry | undefined {
    return this.entries.get(id);
  }

  /** Takes note of batches that are in the log now; calls `onCompleted` for each transaction that they end. */
  update(buf: Buffer, onCompleted: (transaction: CompletedTransaction) => void): void {
    for (let at = 0; at < buf.length; at += sizeBytes(buf, at)) this.updateBatch(buf, at, onCompleted);
  }

  updateBatch(buf: Buffer, at: number, onCompleted: (transaction: CompletedTransaction) => void): void {
    if (!hasProducerId(buf, at)) return;
    const marker = readMarker(buf, at);
    const isControl = (attributes(buf, at) & CONTROL_BIT) !== 0;
    if (isControl && marker === null) return;
    const id = producerId(buf, at);
    let entry = this.entries.get(id);
    if (entry === undefined) {
      entry = new ProducerEntry(id);
      this.entries.set(id, entry);
    }
    const openSince = entry.transactionFirstOffset;
    updateEntry(entry, buf, at, marker);
    if ((attributes(buf, at) & TRANSACTIONAL_BIT) !== 0) {
      this.#verifications.appended(id, producerEpoch(buf, at), isControl);
    }
    if (marker !== null && openSince >= 0)
      onCompleted(this.#complete(id, openSince, baseOffset(buf, at), marker.aborted));
    else if (openSince < 0 && entry.transactionFirstOffset >= 0) this.#begin(id, entry.transactionFirstOffset);
  }

  #begin(id: number, firstOffset: number): void {
    this.#open.push({ producerId: id, firstOffset, lastOffset: -1 });
  }

  #complete(id: number, firstOffset: number, lastOffset: number, aborted: boolean): CompletedTransaction {
    const at = this.#open.findIndex((open) => open.firstOffset === firstOffset);
    const [transaction] = this.#open.splice(at, 1);
    transaction.lastOffset = lastOffset;
    const before = this.#unreplicated.findIndex((other) => other.firstOffset > firstOffset);
    this.#unreplicated.splice(before < 0 ? this.#unreplicated.length : before, 0, transaction);
    const lastStableOffset = this.#open.length > 0 ? this.#open[0].firstOffset : lastOffset + 1;
    return { producerId: id, firstOffset, lastOffset, aborted, lastStableOffset };
  }

  /** From a snapshot. */
  load(entries: Iterable<ProducerEntry>): void {
    this.clear();
    for (const entry of entries) {
      this.entries.set(entry.producerId, entry);
      if (entry.transactionFirstOffset >= 0) this.#begin(entry.producerId, entry.transactionFirstOffset);
    }
    this.#open.sort((a, b) => a.firstOffset - b.firstOffset);
  }

  clear(): void {
    this.entries.clear();
    this.#verifications.clear();
    this.#open = [];
    this.#unreplicated = [];
  }

  removeExpired(nowMs: number, expirationMs: number): void {
    for (const [id, entry] of this.entries) if (isExpired(entry, nowMs, expirationMs)) this.entries.delete(id);
    this.#verifications.removeExpired(nowMs, expirationMs);
  }
}

/** A producer with an open transaction never expires. */
export function isExpired(entry: ProducerEntry, nowMs: number, expirationMs: number): boolean {
  return entry.transactionFirstOffset < 0 && nowMs - entry.lastTimestampMs >= expirationMs;
}

/** Producers as they would be after some batches; what it has not copied is the state's own. */
class ProducerView {
  readonly #state: ProducerState;
  readonly #copies = new Map<number, ProducerEntry>();

  constructor(state: ProducerState) {
    this.#state = state;
  }

  get(id: number): ProducerEntry | undefined {
    return this.#copies.get(id) ?? this.#state.get(id);
  }

  forUpdate(id: number): ProducerEntry {
    let copy = this.#copies.get(id);
    if (copy === undefined) {
      copy = this.#state.get(id)?.clone() ?? new ProducerEntry(id);
      this.#copies.set(id, copy);
    }
    return copy;
  }
}

function readMarker(buf: Buffer, at: number): TransactionMarker | null {
  return (attributes(buf, at) & CONTROL_BIT) === 0 ? null : readTransactionMarker(buf, at);
}

function updateEntry(entry: ProducerEntry, buf: Buffer, at: number, marker: TransactionMarker | null): void {
  if (marker !== null) {
    entry.setEpoch(producerEpoch(buf, at));
    entry.coordinatorEpoch = marker.coordinatorEpoch;
    entry.lastTimestampMs = marker.timestampMs;
    entry.transactionFirstOffset = -1;
    return;
  }
  if ((attributes(buf, at) & CONTROL_BIT) !== 0) return;
  entry.setEpoch(producerEpoch(buf, at));
  const delta = lastOffsetDelta(buf, at);
  entry.addBatch(lastSequenceOf(buf, at), lastOffset(buf, at), delta, maxTimestamp(buf, at));
  if (entry.transactionFirstOffset < 0 && (attributes(buf, at) & TRANSACTIONAL_BIT) !== 0) {
    entry.transactionFirstOffset = baseOffset(buf, at);
  }
}

function lastSequenceOf(buf: Buffer, at: number): number {
  const sequence = baseSequence(buf, at);
  return sequence === NO_SEQUENCE ? NO_SEQUENCE : addToSequence(sequence, lastOffsetDelta(buf, at));
}

function duplicateIn(entry: ProducerEntry, buf: Buffer, at: number): ProducerBatch | null {
  return entry.findDuplicate(producerEpoch(buf, at), baseSequence(buf, at), lastSequenceOf(buf, at));
}

const isInTransaction = (entry: ProducerEntry, epoch: number): boolean =>
  entry.transactionFirstOffset >= 0 && entry.epoch === epoch;

/** A batch that begins a transaction here must have been verified, and no marker may have come since. */
function checkVerified(
  entry: ProducerEntry | undefined,
  buf: Buffer,
  at: number,
  guard: VerificationGuard | null,
  under: Verification | undefined,
): void {
  if ((attributes(buf, at) & TRANSACTIONAL_BIT) === 0) return;
  if (entry !== undefined && isInTransaction(entry, producerEpoch(buf, at))) return;
  if (guard !== null && under?.guard === guard) return;
  throw new LogError('INVALID_TXN_STATE', 'Record was not part of an ongoing transaction');
}

/** Of what is being verified nothing may be left out: the first sequence comes first. */
function checkFirstSequence(entry: ProducerEntry | undefined, buf: Buffer, at: number, under: Verification): void {
  const sequence = baseSequence(buf, at);
  const isKnown = entry !== undefined && entry.batches.length > 0;
  if ((isKnown || !under.raisesEpoch || sequence === 0) && sequence <= under.lowestSequence) return;
  const expected = isKnown ? under.lowestSequence : 0;
  const text = `sequence ${sequence} of producer ${producerId(buf, at)} comes first; ${expected} should`;
  throw new LogError('OUT_OF_ORDER_SEQUENCE_NUMBER', text);
}

function checkData(entry: ProducerEntry, buf: Buffer, at: number, origin: AppendOrigin): void {
  const epoch = producerEpoch(buf, at);
  if (origin === 'client') checkSequence(entry, epoch, baseSequence(buf, at));
  if (entry.transactionFirstOffset >= 0 && (attributes(buf, at) & TRANSACTIONAL_BIT) === 0) {
    throw new LogError(
      'INVALID_TXN_STATE',
      `producer ${entry.producerId} has a transaction open; this is not part of it`,
    );
  }
}

function checkEpoch(entry: ProducerEntry, epoch: number, isOld: boolean): void {
  if (!isOld) return;
  const text = `epoch ${epoch} of producer ${entry.producerId}; the last one was ${entry.epoch}`;
  throw new LogError('INVALID_PRODUCER_EPOCH', text);
}

function checkSequence(entry: ProducerEntry, epoch: number, sequence: number): void {
  // Kafka takes a producer that it does not know, or no longer, at any sequence.
  if (entry.epoch === NO_EPOCH) return;
  const last = epoch === entry.epoch ? entry.lastSequence : NO_SEQUENCE;
  if (sequence === last + 1 || (sequence === 0 && last === MAX_SEQUENCE)) return;
  const text = `sequence ${sequence} of producer ${entry.producerId} in epoch ${epoch} follows ${last} in epoch ${entry.epoch}`;
  throw new LogError('OUT_OF_ORDER_SEQUENCE_NUMBER', text);
}

function checkMarker(
  entry: ProducerEntry,
  buf: Buffer,
  at: number,
  marker: TransactionMarker,
  transactionVersion: number,
): void {
  const epoch = producerEpoch(buf, at);
  // From transaction version 2 on each transaction has an epoch of its own, so the marker's is above that of its records
  // (KIP-890); a marker that is sent again is told by there being no transaction to end.
  const raisesEpoch = transactionVersion >= 2;
  const again = raisesEpoch && epoch === entry.epoch && (entry.transactionFirstOffset < 0 || epoch === MAX_EPOCH);
  if (!again) checkEpoch(entry, epoch, raisesEpoch ? epoch <= entry.epoch : epoch < entry.epoch);
  if (entry.coordinatorEpoch > marker.coordinatorEpoch) {
    const text = `coordinator epoch ${marker.coordinatorEpoch} for producer ${entry.producerId}; the last one was ${entry.coordinatorEpoch}`;
    throw new LogError('TRANSACTION_COORDINATOR_FENCED', text);
  }
}
