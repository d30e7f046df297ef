/**
 * The transaction coordinator: the service behind the transactional APIs, over one state machine per partition of
 * `__transaction_state` that this node leads. Responses come at once where they can.
 */
import { ErrorCode, type ErrorCodeValue, KafkaError } from '../../../protocol/errors.ts';
import type { Int64 } from '../../../protocol/int64.ts';
import type {
  ListTransactionsRequest,
  ListTransactionsResponse,
} from '../../../protocol/messages/66-list-transactions.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { BrokerConfig } from '../../config/broker-config.ts';
import { asKafkaError, coordinatorError } from '../../coordinator/errors.ts';
import { andThen, type Eventually } from '../../coordinator/eventually.ts';
import type { CoordinatorLog } from '../../coordinator/log.ts';
import { partitionFor } from '../../coordinator/partition-for.ts';
import { CoordinatorRuntime } from '../../coordinator/runtime.ts';
import { ServiceWaits } from '../../coordinator/service-waits.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { Clock, Logger, Timer } from '../../env.ts';
import { addPartitions, type TransactionPartitions, verifyPartitions } from './add-partitions.ts';
import { type DescribedTransaction, describeTransaction, listTransactions, unknownStates } from './describe.ts';
import { type EndTransaction, endTransaction } from './end.ts';
import { type InitProducerId, initProducerId, type ProducerResult, refusedProducer } from './init-producer-id.ts';
import { type Marker, type MarkerOutcomes, markersWritten } from './markers.ts';
import type { TransactionRecord } from './records.ts';
import { abortTimedOut, expiredIds, expireId, timedOut } from './timeouts.ts';
import { TransactionShard, type TransactionTimer } from './transaction-shard.ts';
import { matchingIds } from './transactional-id-pattern.ts';

export interface TransactionCoordinatorOptions {
  readonly log: CoordinatorLog;
  readonly clock: Clock;
  readonly logger: Logger;
  config(): BrokerConfig;
  /** The level of the feature transaction.version that is in force. */
  transactionVersion(): number;
  /** The partitions of `__transaction_state`: those it has, or will have when it is created. */
  partitionCount(): number;
  /** A producer id that nobody has. */
  nextProducerId(): Eventually<number>;
  /** Brings a marker to the leaders of its partitions. */
  send(marker: Marker): Eventually<MarkerOutcomes>;
}

/** An operation that says null where it needs a new producer id. */
type WithProducerId<T> = (
  shard: TransactionShard,
  newProducerId: Int64 | null,
  nowMs: number,
) => Outcome<TransactionRecord, T | null>;

export class TransactionCoordinator {
  private readonly options: TransactionCoordinatorOptions;
  private readonly runtime: CoordinatorRuntime<TransactionShard, TransactionRecord, TransactionTimer>;
  private readonly waits: ServiceWaits;
  private readonly sweeps: Timer[] = [];
  private closed = false;

  constructor(options: TransactionCoordinatorOptions) {
    this.options = options;
    const { config, clock, logger, log, transactionVersion } = options;
    this.waits = new ServiceWaits(clock);
    this.runtime = new CoordinatorRuntime({
      log,
      clock,
      logger,
      commitTimeoutMs: () => config().get('request.timeout.ms'),
      create: (partition, timers, coordinatorEpoch) => {
        const send = (marker: Marker) => this.send(partition, marker);
        return new TransactionShard({ config, transactionVersion, logger, timers, coordinatorEpoch, send });
      },
    });
    this.every(0, 'transaction.abort.timed.out.transaction.cleanup.interval.ms', (partition) =>
      this.abortTimedOut(partition),
    );
    this.every(1, 'transaction.remove.expired.transaction.cleanup.interval.ms', (partition) =>
      this.expireIds(partition),
    );
  }

  /** The partition of `__transaction_state` that keeps the transactional id. */
  partitionFor(transactionalId: string): number {
    return partitionFor(transactionalId, this.options.partitionCount());
  }

  /** This node leads the partition in `epoch`: its transactions are loaded, and served when that is done. */
  onElected(partition: number, epoch: number): Eventually<void> {
    return andThen(this.runtime.load(partition, epoch), () => {
      if (this.runtime.isActive(partition)) this.waits.served(partition);
    });
  }

  /** This node leads the partition no more. */
  onResigned(partition: number, epoch?: number): void {
    this.runtime.unload(partition, epoch);
  }

  /** True where the coordinator of the partition serves; else it comes when it does, or as false when time is up. */
  whenServed(partition: number, timeoutMs: number): true | Promise<boolean> {
    return this.runtime.isActive(partition) ? true : this.waits.wait(partition, timeoutMs);
  }

  /** Answers whoever waits with NOT_COORDINATOR, and everybody after that with COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.closed = true;
    for (const sweep of this.sweeps) sweep.cancel();
    this.runtime.close();
    this.waits.close();
  }

  initProducerId(request: InitProducerId): Eventually<ProducerResult> {
    const { transactionalId, timeoutMs } = request;
    if (transactionalId === '') return refusedProducer(ErrorCode.INVALID_REQUEST);
    const maxTimeoutMs = this.options.config().get('transaction.max.timeout.ms');
    if (timeoutMs <= 0 || timeoutMs > maxTimeoutMs) return refusedProducer(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    return this.withProducerId(
      transactionalId,
      (shard, newProducerId, nowMs) => initProducerId(shard, request, newProducerId, nowMs),
      refusedProducer,
    );
  }

  /** Gives the error code. `clientTransactionVersion` is 2 where the client goes by KIP-890's protocol, else 0. */
  addPartitions(request: TransactionPartitions, clientTransactionVersion: number): Eventually<number> {
    if (request.transactionalId === '') return ErrorCode.INVALID_REQUEST;
    return this.write(
      request.transactionalId,
      (shard, nowMs) => {
        const { records } = addPartitions(shard, request, clientTransactionVersion, nowMs);
        return { records, response: ErrorCode.NONE as number };
      },
      (errorCode) => errorCode,
    );
  }

  /** The error code of each partition, in their order. */
  verifyPartitions(request: TransactionPartitions): number[] {
    const refused = (errorCode: number) => [...request.partitions].map(() => errorCode);
    if (request.transactionalId === '') return refused(ErrorCode.INVALID_REQUEST);
    return this.read(request.transactionalId, (shard) => verifyPartitions(shard, request), refused);
  }

  endTransaction(request: EndTransaction): Eventually<ProducerResult> {
    if (request.transactionalId === '') return refusedProducer(ErrorCode.INVALID_REQUEST);
    return this.withProducerId(
      request.transactionalId,
      (shard, newProducerId, nowMs) => endTransaction(shard, request, newProducerId, nowMs),
      refusedProducer,
    );
  }

  describeTransaction(transactionalId: string): DescribedTransaction {
    const refused = (errorCode: number): DescribedTransaction => ({ transactionalId, errorCode });
    if (this.closed) return refused(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    if (transactionalId === '') return refused(ErrorCode.INVALID_REQUEST);
    return this.read(transactionalId, (shard) => describeTransaction(shard, transactionalId), refused);
  }

  /** Throws INVALID_REGULAR_EXPRESSION. */
  listTransactions(request: MessageOf<typeof ListTransactionsRequest>): InputOf<typeof ListTransactionsResponse> {
    const pattern = request.transactionalIdPattern ?? '';
    const matches = (ids: readonly string[]) => (pattern === '' ? ids : matchingIds(pattern, ids));
    if (this.closed) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE };
    const nowMs = this.options.clock.nowMs();
    // a pattern that is none is refused even where there is nothing to match
    matches([]);
    const transactionStates: NonNullable<InputOf<typeof ListTransactionsResponse>['transactionStates']>[number][] = [];
    for (const partition of this.runtime.partitions()) {
      try {
        const listed = this.runtime.read(partition, (shard) => listTransactions(shard, { request, matches }, nowMs));
        transactionStates.push(...listed);
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        if (error.errorName === 'INVALID_REGULAR_EXPRESSION') throw error;
        if (error.errorName !== 'NOT_COORDINATOR') return { errorCode: error.code };
      }
    }
    return { unknownStateFilters: unknownStates(request), transactionStates };
  }

  /** Runs the operation, a second time with a new producer id where it needs one. */
  private withProducerId<T>(
    transactionalId: string,
    operation: WithProducerId<T>,
    failed: (errorCode: ErrorCodeValue) => T,
  ): Eventually<T> {
    const run = (newProducerId: Int64 | null): Eventually<T | null> =>
      this.write<T | null>(transactionalId, (shard, nowMs) => operation(shard, newProducerId, nowMs), failed);
    return andThen(run(null), (response) => {
      if (response !== null) return response;
      const retried = () =>
        andThen(this.nextProducerId(), (id) => (typeof id === 'number' ? run(id) : failed(id.code)));
      return andThen(retried(), (again) => again ?? failed(ErrorCode.UNKNOWN_SERVER_ERROR));
    });
  }

  private nextProducerId(): Eventually<number | KafkaError> {
    const next = this.options.nextProducerId();
    return next instanceof Promise ? next.catch((error: unknown) => asKafkaError(error)) : next;
  }

  private write<T>(
    transactionalId: string,
    operation: (shard: TransactionShard, nowMs: number) => Outcome<TransactionRecord, T>,
    failed: (errorCode: ErrorCodeValue) => T,
  ): Eventually<T> {
    const onError = (error: unknown) => failed(this.told(error));
    try {
      const done = this.runtime.write(this.partitionFor(transactionalId), transactionalId, operation);
      return done instanceof Promise ? done.catch(onError) : done;
    } catch (error) {
      return onError(error);
    }
  }

  private read<T>(
    transactionalId: string,
    query: (shard: TransactionShard) => T,
    failed: (code: ErrorCodeValue) => T,
  ): T {
    try {
      return this.runtime.read(this.partitionFor(transactionalId), query);
    } catch (error) {
      return failed(this.told(error));
    }
  }

  /** The code a client is told; a fault of ours goes to the log. */
  private told(error: unknown): ErrorCodeValue {
    const { code } = asKafkaError(error);
    if (code === ErrorCode.UNKNOWN_SERVER_ERROR) {
      this.options.logger.error({ err: error }, 'the transaction coordinator failed');
    }
    return coordinatorError(code);
  }

  private send(partition: number, marker: Marker): void {
    const { transactionalId } = marker;
    const failed = (error: unknown) => this.notCompleted(transactionalId, error);
    try {
      const told = andThen(this.options.send(marker), (outcomes) =>
        this.runtime.write(partition, transactionalId, (shard, nowMs) =>
          markersWritten(shard, marker, outcomes, nowMs),
        ),
      );
      if (told instanceof Promise) told.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** The state machine tries again where this node still coordinates; who takes over begins with the markers anew. */
  private notCompleted(transactionalId: string, error: unknown): void {
    if (this.closed) return;
    this.options.logger.warn({ transactionalId, err: error }, 'the end of a transaction could not be completed yet');
  }

  private every(index: number, interval: SweepInterval, sweep: (partition: number) => void): void {
    const { clock, config } = this.options;
    this.sweeps[index] = clock.after(config().get(interval), () => {
      for (const partition of [...this.runtime.partitions()]) if (this.runtime.isActive(partition)) sweep(partition);
      this.every(index, interval, sweep);
    });
  }

  private abortTimedOut(partition: number): void {
    const nowMs = this.options.clock.nowMs();
    for (const transactionalId of this.runtime.read(partition, (shard) => timedOut(shard, nowMs))) {
      const abort: WithProducerId<true> = (shard, id, atMs) => abortTimedOut(shard, transactionalId, id, atMs);
      this.withProducerId(transactionalId, abort, () => true);
    }
  }

  private expireIds(partition: number): void {
    const nowMs = this.options.clock.nowMs();
    for (const transactionalId of this.runtime.read(partition, (shard) => expiredIds(shard, nowMs))) {
      this.write(
        transactionalId,
        (shard, atMs) => expireId(shard, transactionalId, atMs),
        () => undefined,
      );
    }
  }
}

type SweepInterval =
  | 'transaction.abort.timed.out.transaction.cleanup.interval.ms'
  | 'transaction.remove.expired.transaction.cleanup.interval.ms';
