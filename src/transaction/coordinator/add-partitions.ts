/** AddPartitionsToTxn: partitions join a transaction, or are looked up in it (KIP-98, KIP-890). */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { Int64 } from '../../../protocol/int64.ts';
import { answered, type Outcome } from '../../coordinator/state-machine.ts';
import type { PartitionSet } from './partition-set.ts';
import type { TransactionRecord } from './records.ts';
import { added, type TransactionMetadata } from './transaction-metadata.ts';
import type { TransactionShard } from './transaction-shard.ts';
import { isCompleting } from './transaction-state.ts';

export interface TransactionPartitions {
  readonly transactionalId: string;
  readonly producerId: Int64;
  readonly producerEpoch: number;
  readonly partitions: PartitionSet;
}

/** The partitions join the transaction, which they begin if they are the first. Throws KafkaError. */
export function addPartitions(
  shard: TransactionShard,
  request: TransactionPartitions,
  clientTransactionVersion: number,
  nowMs: number,
): Outcome<TransactionRecord, void> {
  const { transactionalId, partitions } = request;
  const before = shard.transactions.get(transactionalId);
  if (before !== undefined && isCompleting(before.state)) throw new KafkaError('CONCURRENT_TRANSACTIONS');
  const known = requireProducer(before, request);
  if (known.state === 'Ongoing' && known.partitions.hasAll(partitions)) return answered(undefined);
  const value = added(known, partitions, clientTransactionVersion, nowMs);
  return { records: [{ transactionalId, value }], response: undefined };
}

/** The error code of each partition: NONE where it is part of the transaction. Throws KafkaError for all of them. */
export function verifyPartitions(shard: TransactionShard, request: TransactionPartitions): number[] {
  const metadata = requireProducer(shard.transactions.get(request.transactionalId), request);
  if (isCompleting(metadata.state)) throw new KafkaError('CONCURRENT_TRANSACTIONS');
  return [...request.partitions].map((partition) =>
    metadata.partitions.has(partition) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE,
  );
}

function requireProducer(
  metadata: TransactionMetadata | undefined,
  { producerId, producerEpoch }: TransactionPartitions,
): TransactionMetadata {
  if (metadata === undefined || metadata.producerId !== producerId) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING');
  if (metadata.producerEpoch !== producerEpoch) throw new KafkaError('PRODUCER_FENCED');
  return metadata;
}
