/** What the coordinator does on its own: transactions that take too long are aborted, ids that nobody uses are forgotten. */
import type { Int64 } from '../../../protocol/int64.ts';
import { answered, DONE, type Outcome } from '../../coordinator/state-machine.ts';
import { fenceAndAbort } from './end.ts';
import type { TransactionRecord } from './records.ts';
import type { TransactionMetadata } from './transaction-metadata.ts';
import type { TransactionShard } from './transaction-shard.ts';

/** The transactional ids whose transaction has gone on for longer than its timeout. */
export const timedOut = (shard: TransactionShard, nowMs: number): string[] =>
  idsWhere(shard, (metadata) => hasTimedOut(metadata, nowMs));

function hasTimedOut({ state, startTimestampMs, timeoutMs }: TransactionMetadata, nowMs: number): boolean {
  return state === 'Ongoing' && startTimestampMs + timeoutMs < nowMs;
}

/** Aborts the transaction if it is still overdue; null where that needs a new producer id. */
export function abortTimedOut(
  shard: TransactionShard,
  transactionalId: string,
  newProducerId: Int64 | null,
  nowMs: number,
): Outcome<TransactionRecord, true | null> {
  const metadata = shard.transactions.get(transactionalId);
  if (metadata === undefined || !hasTimedOut(metadata, nowMs)) return answered(true);
  const { timeoutMs, producerEpoch } = metadata;
  shard.env.logger.info({ transactionalId, producerEpoch, timeoutMs }, 'a transaction has timed out and is aborted');
  return fenceAndAbort(shard, transactionalId, metadata, newProducerId, true, nowMs);
}

/** The transactional ids that were not used for transactional.id.expiration.ms and have no transaction. */
export const expiredIds = (shard: TransactionShard, nowMs: number): string[] =>
  idsWhere(shard, (metadata) => hasExpired(shard, metadata, nowMs));

function hasExpired(shard: TransactionShard, { state, lastUpdateTimestampMs }: TransactionMetadata, nowMs: number) {
  const isIdle = state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort';
  return isIdle && lastUpdateTimestampMs <= nowMs - shard.env.config().get('transactional.id.expiration.ms');
}

/** Forgets the id, if it is still to be forgotten. */
export function expireId(
  shard: TransactionShard,
  transactionalId: string,
  nowMs: number,
): Outcome<TransactionRecord, void> {
  const metadata = shard.transactions.get(transactionalId);
  if (metadata === undefined || !hasExpired(shard, metadata, nowMs)) return DONE;
  return { records: [{ transactionalId, value: null }], response: undefined };
}

function idsWhere(shard: TransactionShard, holds: (metadata: TransactionMetadata) => boolean): string[] {
  const ids: string[] = [];
  for (const [transactionalId, metadata] of shard.transactions) if (holds(metadata)) ids.push(transactionalId);
  return ids;
}
