/** InitProducerId with a transactional id: a producer starts, or goes on after an error (KIP-360). */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { Int64 } from '../../../protocol/int64.ts';
import { answered, type Outcome } from '../../coordinator/state-machine.ts';
import { fenceAndAbort } from './end.ts';
import type { TransactionRecord } from './records.ts';
import {
  HIGHEST_CLIENT_EPOCH,
  initialized,
  isEpochExhausted,
  NO_PRODUCER_EPOCH,
  newTransaction,
  rotated,
  type TransactionMetadata,
} from './transaction-metadata.ts';
import type { TransactionShard } from './transaction-shard.ts';
import { isCompleting } from './transaction-state.ts';

export interface ProducerIdentity {
  readonly producerId: Int64;
  readonly producerEpoch: number;
}

export interface InitProducerId {
  readonly transactionalId: string;
  readonly timeoutMs: number;
  /** Who the producer was before; null where it starts. */
  readonly expected: ProducerIdentity | null;
}

/** Who the producer is from now on, or an error code with -1 and -1. */
export interface ProducerResult extends ProducerIdentity {
  readonly errorCode: number;
}

export const refusedProducer = (errorCode: number): ProducerResult => ({
  errorCode,
  producerId: -1,
  producerEpoch: -1,
});

/**
 * The response is null where a new producer id is needed: then nothing has happened and the operation is to be run again
 * with one. Throws KafkaError.
 */
export function initProducerId(
  shard: TransactionShard,
  request: InitProducerId,
  newProducerId: Int64 | null,
  nowMs: number,
): Outcome<TransactionRecord, ProducerResult | null> {
  const { transactionalId, timeoutMs, expected } = request;
  const known = shard.transactions.get(transactionalId);
  if (known === undefined && newProducerId === null) return answered(null);
  const before = known ?? newTransaction(newProducerId as Int64, timeoutMs, nowMs);
  if (isCompleting(before.state)) throw new KafkaError('CONCURRENT_TRANSACTIONS');
  if (expected !== null && !mayGoOn(before, expected)) throw new KafkaError('PRODUCER_FENCED');
  if (before.state === 'Ongoing') {
    // the client comes again, and gets an epoch of its own once the transaction is aborted
    const response = refusedProducer(ErrorCode.CONCURRENT_TRANSACTIONS);
    return fenceAndAbort(shard, transactionalId, before, newProducerId, response, nowMs);
  }
  if (isEpochExhausted(before.producerEpoch) && (expected === null || isCurrent(before, expected))) {
    if (newProducerId === null) return answered(null);
    const lastEpoch = expected === null ? NO_PRODUCER_EPOCH : before.producerEpoch;
    return initialization(transactionalId, rotated(before, newProducerId, lastEpoch, timeoutMs, nowMs));
  }
  return initialization(transactionalId, initialized(before, nextEpochs(before, expected), timeoutMs, nowMs));
}

function initialization(
  transactionalId: string,
  value: TransactionMetadata,
): Outcome<TransactionRecord, ProducerResult> {
  const { producerId, producerEpoch } = value;
  return { records: [{ transactionalId, value }], response: { errorCode: 0, producerId, producerEpoch } };
}

/**
 * A producer goes on under its id. It may also do so under the one it had before, if that had no epoch left: then it has
 * not heard of the new one yet. One that nothing is known of is let in.
 */
function mayGoOn(before: TransactionMetadata, expected: ProducerIdentity): boolean {
  if (before.producerEpoch === NO_PRODUCER_EPOCH || expected.producerId === before.producerId) return true;
  return expected.producerId === before.previousProducerId && expected.producerEpoch >= HIGHEST_CLIENT_EPOCH;
}

const isCurrent = (before: TransactionMetadata, expected: ProducerIdentity): boolean =>
  expected.producerEpoch === before.producerEpoch;

function nextEpochs(before: TransactionMetadata, expected: ProducerIdentity | null) {
  const { producerEpoch, lastProducerEpoch } = before;
  if (expected === null) return { producerEpoch: producerEpoch + 1, lastProducerEpoch: NO_PRODUCER_EPOCH };
  if (producerEpoch === NO_PRODUCER_EPOCH || isCurrent(before, expected)) {
    return { producerEpoch: producerEpoch + 1, lastProducerEpoch: producerEpoch };
  }
  // asked again: nobody else has come in between, or the last epoch would not be known
  if (expected.producerEpoch === lastProducerEpoch) return { producerEpoch, lastProducerEpoch };
  throw new KafkaError('PRODUCER_FENCED');
}
