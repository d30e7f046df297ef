import { errorName } from '../../protocol/errors.ts';
import type { ProducerResult } from '../../src/transaction/coordinator/init-producer-id.ts';
import type { Marker, MarkerOutcome, MarkerOutcomes } from '../../src/transaction/coordinator/markers.ts';
import { PartitionSet, type TopicPartition } from '../../src/transaction/coordinator/partition-set.ts';
import { TransactionCoordinator } from '../../src/transaction/coordinator/transaction-coordinator.ts';
import { brokerConfig } from '../config/samples.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export const T0: TopicPartition = { topic: 't', partition: 0 };
export const T1: TopicPartition = { topic: 't', partition: 1 };

/** A coordinator over a log in memory, under virtual time; markers end where the test says. */
export class TransactionWorld {
  readonly clock = new VirtualClock();
  readonly logger = new CollectingLogger();
  readonly log: MemoryCoordinatorLog;
  readonly sent: Marker[] = [];
  /** What comes of a marker in a partition; 'written' unless said here. */
  readonly outcomes = new Map<number, MarkerOutcome>();
  /** Markers wait until `release`. */
  holdsMarkers = false;
  transactionVersion: number;
  coordinator: TransactionCoordinator;
  private epoch = 7;
  private nextProducerId = 100;
  private held: (() => void)[] = [];

  constructor({ transactionVersion = 2, log = new MemoryCoordinatorLog() } = {}) {
    this.transactionVersion = transactionVersion;
    this.log = log;
    this.coordinator = this.start();
  }

  private start(): TransactionCoordinator {
    const config = brokerConfig();
    const coordinator = new TransactionCoordinator({
      log: this.log,
      clock: this.clock,
      logger: this.logger,
      config: () => config,
      transactionVersion: () => this.transactionVersion,
      partitionCount: () => 1,
      nextProducerId: () => this.nextProducerId++,
      send: (marker) => this.send(marker),
    });
    coordinator.onElected(0, this.epoch);
    return coordinator;
  }

  /** Another coordinator takes over with what is in the log. */
  failover(): void {
    this.coordinator.close();
    this.held = [];
    this.epoch++;
    this.coordinator = this.start();
  }

  private send(marker: Marker): MarkerOutcomes | Promise<MarkerOutcomes> {
    this.sent.push(marker);
    const outcomes = (): MarkerOutcomes =>
      [...marker.partitions].map((partition) => ({
        partition,
        outcome: this.outcomes.get(partition.partition) ?? 'written',
      }));
    if (!this.holdsMarkers) return outcomes();
    return new Promise((resolve) => this.held.push(() => resolve(outcomes())));
  }

  async release(): Promise<void> {
    for (const go of this.held.splice(0)) go();
    await this.clock.advance(0);
  }

  async init(transactionalId: string, expected: Identity | null = null, timeoutMs = 60_000): Promise<string> {
    return said(await this.coordinator.initProducerId({ transactionalId, timeoutMs, expected }));
  }

  async add(transactionalId: string, who: Identity, version: number, ...partitions: TopicPartition[]): Promise<string> {
    const request = { transactionalId, ...who, partitions: PartitionSet.of(partitions) };
    return errorName(await this.coordinator.addPartitions(request, version));
  }

  async end(transactionalId: string, who: Identity, result: 'commit' | 'abort', version: number): Promise<string> {
    const request = { transactionalId, ...who, result, clientTransactionVersion: version };
    return said(await this.coordinator.endTransaction(request));
  }

  /** State, producer id, epoch and partitions. */
  state(transactionalId: string): string {
    const {
      errorCode = 0,
      transactionState,
      producerId,
      producerEpoch,
      topics,
    } = this.coordinator.describeTransaction(transactionalId);
    if (errorCode !== 0) return errorName(errorCode);
    const partitions = (topics ?? []).flatMap((t) => (t.partitions ?? []).map((p) => ` ${t.topic}-${p}`));
    return `${transactionState} ${producerId}/${producerEpoch}${partitions.join('')}`;
  }

  /** The states that the log has of the id, in order. */
  logged(): (number | null)[] {
    return this.log.records(0).map(({ value }) => value?.length ?? null);
  }

  /** Gives the id this epoch, as if its producer had begun that often. */
  async reach(transactionalId: string, epoch: number): Promise<Identity> {
    let said = '';
    while (!said.endsWith(`/${epoch}`)) said = await this.init(transactionalId);
    return identity(said);
  }
}

export interface Identity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Of `NONE 100/0`. */
export function identity(said: string): Identity {
  const [, producerId, producerEpoch] = /(-?\d+)\/(-?\d+)/.exec(said) ?? [];
  return { producerId: Number(producerId), producerEpoch: Number(producerEpoch) };
}

const said = ({ errorCode, producerId, producerEpoch }: ProducerResult): string =>
  `${errorName(errorCode)} ${producerId}/${producerEpoch}`;
