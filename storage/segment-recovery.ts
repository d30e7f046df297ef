/**
 * One segment after an unclean end: how far it holds batches that may stand where they are, and all that is made from them (indexes, producers,
 * leader epochs). There are three ways to go through it, which differ in how the CRCs are looked at; each finds the same as the next one,
 * or says that the next one has to look.
 */
import { attributes, baseOffset, CONTROL_BIT, hasProducerId, producerId } from '../protocol/records/batch.ts';
import { hasValidCrc } from '../protocol/records/check.ts';
import { BatchCursor } from './batch-cursor.ts';
import { baseOffsetIn, lastOffsetDeltaIn, leaderEpochIn, sizeBytesIn } from './batch-header.ts';
import { CrcChain } from './crc-chain.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import { MAX_RELATIVE_OFFSET } from './offset-index.ts';
import { isProbablyCached } from './page-cache.ts';
import type { CompletedTransaction, ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';

/** For all recoveries, which are synchronous; small enough to stay in a core's cache between the read and the CRC. */
export const recoveryWindow = Buffer.allocUnsafeSlow(262_144);
export const CRC_MISMATCH = 'the CRC-32C of the record batch does not match';
/** Places of a file where the page cache is asked. */
const CACHE_PROBES = 5;
const NO_WHOLE_BATCH = 'no whole record batch';

export interface RecoveryOptions {
  config: LogConfig;
  recoveryPoint: number;
  /** Segments below the recovery point are checked, too, as strictly as those above. */
  checkAll: boolean;
  /** All below has been compacted; null: it never was. */
  cleanedUpTo: number | null;
}

/** What is made from batches and belongs to the whole log. */
interface DerivedState {
  producers: ProducerState;
  epochs: LeaderEpochs;
}

/** How far a segment holds valid batches. */
export interface SoundPart {
  sizeBytes: number;
  /** The offset that follows. */
  nextOffset: number;
  /** What is wrong with the bytes behind; null where there are none. */
  invalid: string | null;
}

/** Null where only another way can tell; what was made on the way is of no use then. */
export type SegmentRecovery = (options: RecoveryOptions, segment: Segment, derived: DerivedState) => SoundPart | null;

/**
 * By the headers: the CRC is looked at of the last batch, and where `needsItsCrc`. From a disk it is faster to read what lies between headers,
 * too: the kernel reads ahead then.
 */
export const walkSegment: SegmentRecovery = (options, segment, derived) => {
  const walk = new SegmentWalk(options, segment, derived);
  const cursor = isProbablyCached(segment.log.handle, 0, segment.sizeBytes, CACHE_PROBES)
    ? BatchCursor.ofHeaders(segment.log, 0, segment.sizeBytes, recoveryWindow)
    : segment.cursor(0, recoveryWindow);
  for (; cursor.load(); cursor.advance()) {
    const { buf, at, position } = cursor;
    if (walk.whatIsWrong(cursor.view, at) !== null) return null;
    const isLast = position + sizeBytesIn(cursor.view, at) === segment.sizeBytes;
    if (isLast || needsItsCrc(buf, at)) {
      cursor.loadWhole();
      if (!hasValidCrc(cursor.buf, cursor.at)) return null;
    }
    walk.take(cursor.buf, cursor.at, position);
  }
  return cursor.position === segment.sizeBytes ? walk.end(cursor.position, null) : null;
};

/** All CRCs, many at a time. */
export const checkSegment: SegmentRecovery = (options, segment, derived) => {
  const walk = new SegmentWalk(options, segment, derived);
  const chain = new CrcChain();
  let areCrcsValid = true;
  const cursor = segment.cursor(0, recoveryWindow);
  cursor.beforeRead = () => {
    areCrcsValid &&= chain.isValid();
  };
  let invalid: string | null = null;
  while (areCrcsValid && cursor.load()) {
    cursor.loadWhole();
    const { buf, at, position } = cursor;
    invalid = walk.whatIsWrong(cursor.view, at);
    if (invalid === null && needsItsCrc(buf, at) && !hasValidCrc(buf, at)) invalid = CRC_MISMATCH;
    if (invalid !== null) break;
    walk.take(buf, at, position);
    cursor.advance();
    chain.add(buf, at, cursor.position - position);
  }
  return areCrcsValid && chain.isValid() ? walk.end(cursor.position, invalid) : null;
};

/** Each CRC on its own, before anything is made of the batch: this finds the first one that is wrong. */
export const checkEachBatch: SegmentRecovery = (options, segment, derived) => {
  const walk = new SegmentWalk(options, segment, derived);
  const cursor = segment.cursor(0, recoveryWindow);
  let invalid: string | null = null;
  for (; cursor.load(); cursor.advance()) {
    cursor.loadWhole();
    const { buf, at, position } = cursor;
    invalid = hasValidCrc(buf, at) ? walk.whatIsWrong(cursor.view, at) : CRC_MISMATCH;
    if (invalid !== null) break;
    walk.take(buf, at, position);
  }
  return walk.end(cursor.position, invalid);
};

/** From batch to batch of a segment: whether each may follow, and what is made from it. */
class SegmentWalk {
  readonly #options: RecoveryOptions;
  readonly #segment: Segment;
  readonly #derived: DerivedState;
  readonly #onCompleted: (transaction: CompletedTransaction) => void;
  readonly #indexIntervalBytes: number;
  readonly #highest: number;
  #nextOffset: number;
  #latestEpoch: number;
  /** Of the batch that was looked at last. */
  #epoch = -1;
  #lastOffset = -1;

  constructor(options: RecoveryOptions, segment: Segment, derived: DerivedState) {
    this.#options = options;
    this.#segment = segment;
    this.#derived = derived;
    this.#onCompleted = (transaction) => noteAborted(segment, transaction);
    this.#indexIntervalBytes = options.config.indexIntervalBytes;
    this.#highest = segment.baseOffset + MAX_RELATIVE_OFFSET;
    this.#nextOffset = segment.baseOffset;
    this.#latestEpoch = derived.epochs.latest;
    segment.resetIndexes();
    segment.transactionIndex.reset();
  }

  /** With a batch, by its header; null: nothing. */
  whatIsWrong(view: DataView, at: number): string | null {
    const base = baseOffsetIn(view, at);
    const next = this.#nextOffset;
    if (base !== next && (base < next || base > this.#highest || !mayHaveGap(this.#options, next))) {
      return `offset ${base} where ${next} has to follow`;
    }
    const last = base + lastOffsetDeltaIn(view, at);
    if (last < base) return 'a batch that ends before it begins';
    if (last > this.#highest) return `offset ${last} is too high for the segment`;
    this.#lastOffset = last;
    const epoch = leaderEpochIn(view, at);
    this.#epoch = epoch;
    // What a truncation had cut off comes back when a power cut undoes it, and may stand behind newer records.
    if (epoch < this.#latestEpoch && epoch >= 0) return `leader epoch ${epoch} after ${this.#latestEpoch}`;
    return null;
  }

  /** Nothing is wrong with the batch that was looked at last. */
  take(buf: Buffer, at: number, position: number): void {
    this.#segment.indexBatch(buf, at, position, this.#indexIntervalBytes);
    if (this.#epoch > this.#latestEpoch) {
      this.#latestEpoch = this.#epoch;
      this.#derived.epochs.assign(this.#epoch, baseOffset(buf, at));
    }
    if (hasProducerId(buf, at)) this.#derived.producers.updateBatch(buf, at, this.#onCompleted);
    this.#nextOffset = this.#lastOffset + 1;
  }

  end(position: number, invalid: string | null): SoundPart {
    const rest = position < this.#segment.sizeBytes ? NO_WHOLE_BATCH : null;
    return { sizeBytes: position, nextOffset: this.#nextOffset, invalid: invalid ?? rest };
  }
}

/**
 * Leaders leave no offset out; a compaction does, and who copies what it has left. Elsewhere a gap above the recovery point is the mark of a
 * base offset that was torn: no CRC covers it.
 */
export function mayHaveGap(options: RecoveryOptions, nextOffset: number): boolean {
  return wasCompacted(options) || (nextOffset < options.recoveryPoint && !options.checkAll);
}

export function wasCompacted({ config, cleanedUpTo }: RecoveryOptions): boolean {
  return config.cleanupPolicy.compact || cleanedUpTo !== null;
}

export function noteAborted(segment: Segment, transaction: CompletedTransaction): void {
  if (transaction.aborted) segment.transactionIndex.append(transaction);
}

/**
 * A transaction marker is the one batch whose records count here, so they have to be right; and nobody has given out a producer id beyond
 * what a number holds.
 */
export const needsItsCrc = (buf: Buffer, at: number): boolean =>
  hasProducerId(buf, at) &&
  ((attributes(buf, at) & CONTROL_BIT) !== 0 || producerId(buf, at) > Number.MAX_SAFE_INTEGER);
