/** DescribeTransactions and ListTransactions (KIP-664). */
import { KafkaError } from '../../../protocol/errors.ts';
import { toNumber } from '../../../protocol/int64.ts';
import type { DescribeTransactionsResponse } from '../../../protocol/messages/65-describe-transactions.ts';
import type {
  ListTransactionsRequest,
  ListTransactionsResponse,
} from '../../../protocol/messages/66-list-transactions.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { TransactionMetadata } from './transaction-metadata.ts';
import type { TransactionShard } from './transaction-shard.ts';
import { isState } from './transaction-state.ts';

export type DescribedTransaction = NonNullable<
  InputOf<typeof DescribeTransactionsResponse>['transactionStates']
>[number];
export type ListedTransaction = NonNullable<InputOf<typeof ListTransactionsResponse>['transactionStates']>[number];

/** Throws TRANSACTIONAL_ID_NOT_FOUND. */
export function describeTransaction(shard: TransactionShard, transactionalId: string): DescribedTransaction {
  const metadata = shard.transactions.get(transactionalId);
  if (metadata === undefined) throw new KafkaError('TRANSACTIONAL_ID_NOT_FOUND');
  return {
    transactionalId,
    transactionState: metadata.state,
    transactionTimeoutMs: metadata.timeoutMs,
    transactionStartTimeMs: metadata.startTimestampMs,
    producerId: metadata.producerId,
    producerEpoch: metadata.producerEpoch,
    topics: [...metadata.partitions.byTopic].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  };
}

/** What ListTransactions asks for; `matches` is the pattern of version 2. */
export interface TransactionFilter {
  readonly request: MessageOf<typeof ListTransactionsRequest>;
  matches(transactionalIds: readonly string[]): readonly string[];
}

/** Names of states that do not exist, each once, in the order of the request. */
export const unknownStates = ({ stateFilters }: MessageOf<typeof ListTransactionsRequest>): string[] => [
  ...new Set(stateFilters.filter((name) => !isState(name))),
];

export function listTransactions(
  shard: TransactionShard,
  filter: TransactionFilter,
  nowMs: number,
): ListedTransaction[] {
  const { stateFilters, producerIdFilters, durationFilter } = filter.request;
  const durationMs = toNumber(durationFilter);
  const wanted = ({ state, producerId, startTimestampMs }: TransactionMetadata): boolean =>
    (stateFilters.length === 0 || stateFilters.includes(state)) &&
    (producerIdFilters.length === 0 || producerIdFilters.includes(producerId)) &&
    (durationMs < 0 || nowMs - startTimestampMs > durationMs);
  const ids = [...shard.transactions]
    .filter(([, metadata]) => wanted(metadata))
    .map(([transactionalId]) => transactionalId);
  return filter.matches(ids).map((transactionalId) => {
    const { producerId, state } = shard.transactions.get(transactionalId) as TransactionMetadata;
    return { transactionalId, producerId, transactionState: state };
  });
}
