/** EndTxn, and the abort by the coordinator itself: the outcome is decided and logged, then the markers go out. */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { Int64 } from '../../../protocol/int64.ts';
import { answered, type Outcome } from '../../coordinator/state-machine.ts';
import type { ProducerResult } from './init-producer-id.ts';
import { sendMarkers } from './markers.ts';
import type { TransactionRecord } from './records.ts';
import {
  completed,
  EPOCH_BUMP_VERSION,
  fenced,
  HIGHEST_CLIENT_EPOCH,
  isEpochExhausted,
  NO_PRODUCER_ID,
  prepared,
  type TransactionMetadata,
  type TransactionResult,
} from './transaction-metadata.ts';
import type { TransactionShard } from './transaction-shard.ts';
import { isCompleting } from './transaction-state.ts';

export interface EndTransaction {
  readonly transactionalId: string;
  readonly producerId: Int64;
  readonly producerEpoch: number;
  readonly result: TransactionResult;
  /** The transaction.version of the client: 2 from EndTxn version 5 on, else 0. */
  readonly clientTransactionVersion: number;
}

/** What the operation needs beside the request: whether a new producer id was given to it, and the time. */
type Ending = Outcome<TransactionRecord, ProducerResult | null>;

/** As before KIP-890: the producer keeps its epoch, and learns none. */
const UNCHANGED: ProducerResult = { errorCode: ErrorCode.NONE, producerId: -1, producerEpoch: -1 };

/**
 * The response is null where a new producer id is needed: then nothing has happened and the operation is to be run again
 * with one. Throws KafkaError.
 */
export function endTransaction(
  shard: TransactionShard,
  request: EndTransaction,
  newProducerId: Int64 | null,
  nowMs: number,
): Ending {
  const before = shard.transactions.get(request.transactionalId);
  if (before === undefined) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING');
  return request.clientTransactionVersion >= EPOCH_BUMP_VERSION
    ? endWithNewEpoch(shard, request, before, newProducerId, nowMs)
    : endInEpoch(shard, request, before, nowMs);
}

/** The protocol before KIP-890: the epoch stays, so a late retry cannot be told from the next request. */
function endInEpoch(
  shard: TransactionShard,
  request: EndTransaction,
  before: TransactionMetadata,
  nowMs: number,
): Ending {
  const { transactionalId, result } = request;
  if (before.producerId !== request.producerId) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING');
  if (before.producerEpoch !== request.producerEpoch) throw new KafkaError('PRODUCER_FENCED');
  if (isCompleting(before.state)) throw new KafkaError('CONCURRENT_TRANSACTIONS');
  if (before.state === 'Ongoing') {
    return preparing(shard, transactionalId, prepared(before, result, 0, NO_PRODUCER_ID, nowMs), nowMs);
  }
  if (hasEndedWith(before, result)) return answered(UNCHANGED);
  throw invalid(shard, request, before);
}

/** KIP-890: the end of a transaction takes the producer to its next epoch. */
function endWithNewEpoch(
  shard: TransactionShard,
  request: EndTransaction,
  before: TransactionMetadata,
  newProducerId: Int64 | null,
  nowMs: number,
): Ending {
  const { transactionalId, result } = request;
  if (isCompleting(before.state)) throw new KafkaError('CONCURRENT_TRANSACTIONS');
  const missedRotation = isBeforeRotation(before, request);
  if (before.producerId !== request.producerId && !missedRotation) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING');
  const isRetry = missedRotation || before.producerEpoch === request.producerEpoch + 1;
  const hasEnded = before.state === 'CompleteCommit' || before.state === 'CompleteAbort';
  const isCurrent = before.producerEpoch === request.producerEpoch;
  if (!isCurrent && !(hasEnded && isRetry)) throw new KafkaError('PRODUCER_FENCED');
  if (hasEnded && isRetry) {
    if (!hasEndedWith(before, result)) throw invalid(shard, request, before);
    const { producerId, producerEpoch } = before;
    return answered({ errorCode: ErrorCode.NONE, producerId, producerEpoch });
  }
  // an abort without a transaction takes the producer to its next epoch, a commit makes no sense
  if (before.state !== 'Ongoing' && result === 'commit') throw invalid(shard, request, before);
  const nextProducerId = isEpochExhausted(before.producerEpoch) ? newProducerId : NO_PRODUCER_ID;
  if (nextProducerId === null) return answered(null);
  const after = prepared(before, result, request.clientTransactionVersion, nextProducerId, nowMs);
  return preparing(shard, transactionalId, after, nowMs);
}

/** The producer has not heard that it had no epoch left and has a new id. */
function isBeforeRotation(before: TransactionMetadata, request: EndTransaction): boolean {
  return (
    before.previousProducerId === request.producerId &&
    request.producerEpoch === HIGHEST_CLIENT_EPOCH &&
    before.producerEpoch === 0
  );
}

const hasEndedWith = ({ state }: TransactionMetadata, result: TransactionResult): boolean =>
  state === (result === 'commit' ? 'CompleteCommit' : 'CompleteAbort');

function invalid(shard: TransactionShard, request: EndTransaction, { state }: TransactionMetadata): KafkaError {
  const { transactionalId, result } = request;
  shard.env.logger.warn({ transactionalId, state, result }, 'a transaction in this state cannot end so');
  return new KafkaError('INVALID_TXN_STATE');
}

function preparing(
  shard: TransactionShard,
  transactionalId: string,
  after: TransactionMetadata,
  nowMs: number,
): Outcome<TransactionRecord, ProducerResult> {
  const { producerId, producerEpoch } = completed(after, nowMs);
  const response = { errorCode: ErrorCode.NONE, producerId, producerEpoch };
  return decided(shard, transactionalId, after, response);
}

/** Logs the outcome; once it is committed the markers go out and the client is answered. */
function decided<T>(
  shard: TransactionShard,
  transactionalId: string,
  value: TransactionMetadata,
  response: T,
): Outcome<TransactionRecord, T> {
  return {
    records: [{ transactionalId, value }],
    response,
    next: () => {
      sendMarkers(shard, transactionalId);
      return answered(response);
    },
  };
}

/**
 * The coordinator aborts an ongoing transaction and shuts its producer out. The response is null where a new producer id is
 * needed: then nothing has happened.
 */
export function fenceAndAbort<T>(
  shard: TransactionShard,
  transactionalId: string,
  before: TransactionMetadata,
  newProducerId: Int64 | null,
  response: T,
  nowMs: number,
): Outcome<TransactionRecord, T | null> {
  const version = shard.env.transactionVersion();
  if (version < EPOCH_BUMP_VERSION) {
    const after = prepared(fenced(before), 'abort', 0, NO_PRODUCER_ID, nowMs);
    return decided(shard, transactionalId, after, response);
  }
  const nextProducerId = isEpochExhausted(before.producerEpoch) ? newProducerId : NO_PRODUCER_ID;
  if (nextProducerId === null) return answered(null);
  return decided(shard, transactionalId, prepared(before, 'abort', version, nextProducerId, nowMs), response);
}
