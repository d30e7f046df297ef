/**
 * Before a producer's first batch of a transaction goes into a partition, its coordinator is asked (KIP-890): clients of the
 * new protocol have the partition added by that, of older ones it must have been added. Without this a batch that comes
 * late could begin a transaction that nobody ends.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import { type Int64, toNumber } from '../../../protocol/int64.ts';
import type { VerificationGuard } from '../../../storage/index.ts';
import type { BrokerConfig } from '../../config/broker-config.ts';
import { andThen, type Eventually } from '../../coordinator/eventually.ts';
import type { Clock } from '../../env.ts';
import { AppendError } from '../../partition/append-result.ts';
import type { Partition } from '../../partition/partition.ts';
import type { TransactionPartitions } from '../coordinator/add-partitions.ts';
import { PartitionSet } from '../coordinator/partition-set.ts';
import { EPOCH_BUMP_VERSION } from '../coordinator/transaction-metadata.ts';

/** What the client knows: of no TRANSACTION_ABORTABLE, of it, or of partitions that are added by the append. */
export type ClientSupport = 'default' | 'abortable' | 'add-partition';

export interface VerifiedProducer {
  readonly transactionalId: string;
  readonly producerId: Int64;
  readonly producerEpoch: number;
}

/** The sequence is that of the first batch, -1 for offsets. */
export interface ToVerify {
  readonly partition: Partition;
  readonly sequence: number;
}

/** A guard for the append, null where the transaction has begun already, or an error code. Undefined: not verified. */
export type Verified = { readonly guard: VerificationGuard | null | undefined } | { readonly errorCode: number };

/** The coordinator of transactions, wherever it is. */
export interface TransactionGate {
  addPartitions(request: TransactionPartitions, clientTransactionVersion: number): Eventually<number>;
  verifyPartitions(request: TransactionPartitions): Eventually<number[]>;
}

export class TransactionVerification {
  private readonly gate: TransactionGate;
  private readonly clock: Clock;
  private readonly config: () => BrokerConfig;

  constructor(gate: TransactionGate, clock: Clock, config: () => BrokerConfig) {
    this.gate = gate;
    this.clock = clock;
    this.config = config;
  }

  /** What came of each, in their order. With `retry` a transaction that is still being completed is waited for a little. */
  verify(
    producer: VerifiedProducer,
    wanted: readonly ToVerify[],
    support: ClientSupport,
    retry: boolean,
  ): Eventually<Verified[]> {
    if (support !== 'add-partition' && !this.config().get('transaction.partition.verification.enable')) {
      return wanted.map(() => ({ guard: undefined }));
    }
    const retryMs = this.config().get('add.partitions.to.txn.retry.backoff.max.ms');
    const untilMs = retry && support === 'add-partition' ? this.clock.monotonicMs() + retryMs : 0;
    return this.attempt(producer, wanted, support, untilMs);
  }

  private attempt(
    producer: VerifiedProducer,
    wanted: readonly ToVerify[],
    support: ClientSupport,
    untilMs: number,
  ): Eventually<Verified[]> {
    const started = wanted.map((one) => start(producer, one, support));
    const asked = wanted.filter((_, i) => 'guard' in started[i] && started[i].guard !== null);
    if (asked.length === 0) return started;
    return andThen(this.ask(producer, asked, support), (codes) => {
      const isBusy = codes.includes(ErrorCode.CONCURRENT_TRANSACTIONS);
      if (isBusy && this.clock.monotonicMs() < untilMs) {
        return this.later(() => this.attempt(producer, wanted, support, untilMs));
      }
      const byPartition = new Map(asked.map(({ partition }, i) => [partition, codes[i]]));
      return wanted.map(({ partition }, i): Verified => {
        const errorCode = byPartition.get(partition) ?? ErrorCode.NONE;
        return errorCode === ErrorCode.NONE ? started[i] : { errorCode: told(errorCode, support) };
      });
    });
  }

  private ask(
    producer: VerifiedProducer,
    asked: readonly ToVerify[],
    support: ClientSupport,
  ): Eventually<readonly number[]> {
    const named = asked.map(({ partition }) => ({ topic: partition.topic, partition: partition.index }));
    const request = { ...producer, partitions: PartitionSet.of(named) };
    if (support === 'add-partition') {
      return andThen(this.gate.addPartitions(request, EPOCH_BUMP_VERSION), (code) => asked.map(() => code));
    }
    return andThen(this.gate.verifyPartitions(request), (codes) => {
      const order = [...request.partitions].map(({ topic, partition }) => `${topic}-${partition}`);
      return named.map(({ topic, partition }) => codes[order.indexOf(`${topic}-${partition}`)]);
    });
  }

  private later<T>(task: () => Eventually<T>): Promise<T> {
    const backoffMs = this.config().get('add.partitions.to.txn.retry.backoff.ms');
    return new Promise((resolve, reject) => {
      this.clock.after(backoffMs, () => {
        try {
          resolve(task());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

function start(producer: VerifiedProducer, { partition, sequence }: ToVerify, support: ClientSupport): Verified {
  const { producerId, producerEpoch } = producer;
  try {
    const raisesEpoch = support === 'add-partition';
    return { guard: partition.startVerification(toNumber(producerId), sequence, producerEpoch, raisesEpoch) };
  } catch (error) {
    if (error instanceof AppendError) return { errorCode: ErrorCode[error.errorName] };
    throw error;
  }
}

/** As producers expect it; older ones know of no TRANSACTION_ABORTABLE. */
function told(errorCode: number, support: ClientSupport): number {
  if (errorCode === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH;
  if (errorCode === ErrorCode.TRANSACTION_ABORTABLE && support === 'default') return ErrorCode.INVALID_TXN_STATE;
  return errorCode;
}
