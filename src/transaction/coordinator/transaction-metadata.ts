/**
 * What the coordinator knows of a transactional id (KIP-98, KIP-360, KIP-890), and the transitions between its states as pure
 * functions: from the metadata as it is to the metadata as it is to be logged.
 */
import type { Int64 } from '../../../protocol/int64.ts';
import { PartitionSet, type TopicPartition } from './partition-set.ts';
import { mayFollow, type TransactionState } from './transaction-state.ts';

export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
const MAX_EPOCH = 32_767;

/** From this level of transaction.version on each transaction has an epoch of its own (KIP-890). */
export const EPOCH_BUMP_VERSION = 2;

export interface TransactionMetadata {
  readonly producerId: Int64;
  /** The producer id before the last transition. */
  readonly previousProducerId: Int64;
  /** The producer id from the next transaction on, where the epochs of this one are used up; else -1. */
  readonly nextProducerId: Int64;
  readonly producerEpoch: number;
  /** The epoch before, for a producer that asks again (KIP-360); -1 where there is none. Not in the log: lost with a failover. */
  readonly lastProducerEpoch: number;
  readonly timeoutMs: number;
  readonly state: TransactionState;
  readonly partitions: PartitionSet;
  /** -1 where no transaction has begun. */
  readonly startTimestampMs: number;
  readonly lastUpdateTimestampMs: number;
  /** The transaction.version that the client goes by, as far as its last request showed it: 0 or 2. */
  readonly clientTransactionVersion: number;
}

export type TransactionResult = 'commit' | 'abort';

/** A transactional id that was never seen; the first transition gives it its first epoch. */
export function newTransaction(producerId: Int64, timeoutMs: number, nowMs: number): TransactionMetadata {
  return {
    producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs,
    state: 'Empty',
    partitions: PartitionSet.EMPTY,
    startTimestampMs: -1,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion: 0,
  };
}

/** No client is given the highest epoch, so that its producer can always be fenced. */
export const isEpochExhausted = (producerEpoch: number): boolean => producerEpoch >= MAX_EPOCH - 1;

export const HIGHEST_CLIENT_EPOCH = MAX_EPOCH - 1;

function transition(
  before: TransactionMetadata,
  state: TransactionState,
  changes: Partial<TransactionMetadata>,
): TransactionMetadata {
  if (!mayFollow(state, before.state)) throw new Error(`a transaction cannot go from ${before.state} to ${state}`);
  return { ...before, previousProducerId: before.producerId, ...changes, state };
}

/** A producer (re)starts under these epochs; `lastProducerEpoch` is -1 where it does not say which it had. */
export function initialized(
  before: TransactionMetadata,
  epochs: { readonly producerEpoch: number; readonly lastProducerEpoch: number },
  timeoutMs: number,
  nowMs: number,
): TransactionMetadata {
  return transition(before, 'Empty', {
    ...epochs,
    timeoutMs,
    partitions: PartitionSet.EMPTY,
    startTimestampMs: -1,
    lastUpdateTimestampMs: nowMs,
  });
}

/** As `initialized`, under a new producer id: the epochs of the old one are used up. */
export function rotated(
  before: TransactionMetadata,
  producerId: Int64,
  lastProducerEpoch: number,
  timeoutMs: number,
  nowMs: number,
): TransactionMetadata {
  return { ...initialized(before, { producerEpoch: 0, lastProducerEpoch }, timeoutMs, nowMs), producerId };
}

/** Partitions join the transaction; the first ones begin it. */
export function added(
  before: TransactionMetadata,
  partitions: Iterable<TopicPartition>,
  clientTransactionVersion: number,
  nowMs: number,
): TransactionMetadata {
  return transition(before, 'Ongoing', {
    partitions: before.partitions.plus(partitions),
    startTimestampMs: before.state === 'Ongoing' ? before.startTimestampMs : nowMs,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion,
  });
}

/** The outcome is decided. With KIP-890 the epoch rises; `nextProducerId` is for when it cannot rise again, else -1. */
export function prepared(
  before: TransactionMetadata,
  result: TransactionResult,
  clientTransactionVersion: number,
  nextProducerId: Int64,
  nowMs: number,
): TransactionMetadata {
  const { producerEpoch, state } = before;
  const raisesEpoch = clientTransactionVersion >= EPOCH_BUMP_VERSION;
  return transition(before, result === 'commit' ? 'PrepareCommit' : 'PrepareAbort', {
    producerEpoch: raisesEpoch ? Math.min(producerEpoch + 1, MAX_EPOCH) : producerEpoch,
    lastProducerEpoch: raisesEpoch ? producerEpoch : before.lastProducerEpoch,
    nextProducerId,
    startTimestampMs: state === 'Ongoing' ? before.startTimestampMs : nowMs,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion,
  });
}

/** The producer is shut out by the next epoch; to be followed by the abort of its transaction. Before KIP-890's protocol only. */
export function fenced(before: TransactionMetadata): TransactionMetadata {
  const producerEpoch = Math.min(before.producerEpoch + 1, MAX_EPOCH);
  return { ...before, producerEpoch, lastProducerEpoch: NO_PRODUCER_EPOCH };
}

/** All markers are written. */
export function completed(before: TransactionMetadata, nowMs: number): TransactionMetadata {
  const rotates = before.clientTransactionVersion >= EPOCH_BUMP_VERSION && before.nextProducerId !== NO_PRODUCER_ID;
  return transition(before, before.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort', {
    producerId: rotates ? before.nextProducerId : before.producerId,
    producerEpoch: rotates ? 0 : before.producerEpoch,
    nextProducerId: NO_PRODUCER_ID,
    partitions: PartitionSet.EMPTY,
    lastUpdateTimestampMs: nowMs,
  });
}
