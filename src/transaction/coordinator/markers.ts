/**
 * The second phase of a transaction: markers go to its partitions, and when all are written the transaction is complete. What
 * is decided is in the log before the first marker leaves, so a coordinator that takes over goes on from there.
 */
import type { Int64 } from '../../../protocol/int64.ts';
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { PartitionSet, TopicPartition } from './partition-set.ts';
import type { TransactionRecord } from './records.ts';
import { completed, type TransactionMetadata, type TransactionResult } from './transaction-metadata.ts';
import type { TransactionShard } from './transaction-shard.ts';
import { isCompleting } from './transaction-state.ts';

/** What the leaders of the partitions are asked to write. */
export interface Marker {
  readonly transactionalId: string;
  readonly producerId: Int64;
  readonly producerEpoch: number;
  readonly result: TransactionResult;
  readonly coordinatorEpoch: number;
  /** Of the client, as the transaction's metadata has it. */
  readonly transactionVersion: number;
  readonly partitions: PartitionSet;
}

/**
 * What came of a marker in one partition. `gone`: the partition was deleted. `again`: not now. `fenced`: the partition has
 * seen a later epoch of the producer or of the coordinator; somebody else goes on with the transaction.
 */
export type MarkerOutcome = 'written' | 'gone' | 'again' | 'fenced';

export type MarkerOutcomes = readonly { readonly partition: TopicPartition; readonly outcome: MarkerOutcome }[];

/** A transaction whose markers are on their way. */
export interface Completion {
  /** Partitions without a marker yet. */
  readonly remaining: PartitionSet;
}

/** How long to wait before markers are tried again (Kafka's retry backoff between brokers). */
const RETRY_MS = 100;

/** The outcome is in the log: sends the markers. */
export function sendMarkers(shard: TransactionShard, transactionalId: string): void {
  const metadata = shard.transactions.get(transactionalId);
  if (metadata === undefined || !isCompleting(metadata.state)) return;
  send(shard, transactionalId, metadata, metadata.partitions);
}

function send(shard: TransactionShard, transactionalId: string, metadata: TransactionMetadata, to: PartitionSet): void {
  shard.completions.set(transactionalId, { remaining: to });
  shard.env.send({
    transactionalId,
    producerId: metadata.producerId,
    producerEpoch: metadata.producerEpoch,
    result: metadata.state === 'PrepareCommit' ? 'commit' : 'abort',
    coordinatorEpoch: shard.env.coordinatorEpoch,
    transactionVersion: metadata.clientTransactionVersion,
    partitions: to,
  });
}

/** The time for another attempt has come. */
export function sendMarkersAgain(shard: TransactionShard, transactionalId: string): Outcome<TransactionRecord, void> {
  const metadata = shard.transactions.get(transactionalId);
  const completion = shard.completions.get(transactionalId);
  if (metadata === undefined || completion === undefined || !isCompleting(metadata.state)) return DONE;
  send(shard, transactionalId, metadata, completion.remaining);
  return DONE;
}

/** Takes note of what came of `marker`; with the last of its partitions the transaction is complete. */
export function markersWritten(
  shard: TransactionShard,
  marker: Marker,
  outcomes: MarkerOutcomes,
  nowMs: number,
): Outcome<TransactionRecord, void> {
  const { transactionalId } = marker;
  const metadata = shard.transactions.get(transactionalId);
  const completion = shard.completions.get(transactionalId);
  if (metadata === undefined || completion === undefined || !isCompleting(metadata.state)) return DONE;
  // an answer to what this coordinator's predecessor on the same node had sent
  if (marker.coordinatorEpoch !== shard.env.coordinatorEpoch) return DONE;
  if (outcomes.some(({ outcome }) => outcome === 'fenced')) return giveUp(shard, transactionalId, metadata);
  const done = new Set(outcomes.filter(({ outcome }) => outcome !== 'again').map(({ partition }) => keyOf(partition)));
  const remaining = completion.remaining.filter((partition) => !done.has(keyOf(partition)));
  shard.completions.set(transactionalId, { remaining });
  if (!remaining.isEmpty) {
    tryLater(shard, transactionalId);
    return DONE;
  }
  return {
    records: [{ transactionalId, value: completed(metadata, nowMs) }],
    response: undefined,
    next: () => {
      shard.completions.delete(transactionalId);
      return DONE;
    },
    failed: () => tryLater(shard, transactionalId),
  };
}

function giveUp(shard: TransactionShard, transactionalId: string, metadata: TransactionMetadata): typeof DONE {
  const { producerId, producerEpoch, state } = metadata;
  shard.completions.delete(transactionalId);
  const fields = { transactionalId, producerId: String(producerId), producerEpoch, state };
  shard.env.logger.warn(fields, 'a partition knows a later epoch: the markers of this transaction are given up');
  return DONE;
}

function tryLater(shard: TransactionShard, transactionalId: string): void {
  shard.env.timers.schedule(transactionalId, RETRY_MS, { transactionalId });
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;
