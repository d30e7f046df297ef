import type { BrokerConfig } from '../../config/broker-config.ts';
import type { CoordinatorRecord, StoredRecord } from '../../coordinator/log.ts';
import type { Outcome, StateMachine } from '../../coordinator/state-machine.ts';
import type { TimerSink } from '../../coordinator/timers.ts';
import type { Logger } from '../../env.ts';
import { type Completion, type Marker, sendMarkers, sendMarkersAgain } from './markers.ts';
import { decodeRecord, encodeRecord, type TransactionRecord, valueVersion } from './records.ts';
import type { TransactionMetadata } from './transaction-metadata.ts';
import { isCompleting } from './transaction-state.ts';

/** Markers that could not be written are to be tried again. */
export interface TransactionTimer {
  readonly transactionalId: string;
}

export interface TransactionShardEnv {
  config(): BrokerConfig;
  /** The level of the feature transaction.version that is in force. */
  transactionVersion(): number;
  readonly logger: Logger;
  readonly timers: TimerSink<TransactionTimer>;
  /** The leader epoch of the partition of `__transaction_state`: markers carry it. */
  readonly coordinatorEpoch: number;
  /** Sends a marker to the leaders of its partitions; what came of it is told by `markersWritten`, at once or later. */
  send(marker: Marker): void;
}

/** The transactional ids that one partition of `__transaction_state` holds. */
export class TransactionShard implements StateMachine<TransactionRecord, TransactionTimer> {
  readonly transactions = new Map<string, TransactionMetadata>();
  /** Transactions whose markers are on their way, by transactional id. */
  readonly completions = new Map<string, Completion>();
  readonly env: TransactionShardEnv;

  constructor(env: TransactionShardEnv) {
    this.env = env;
  }

  encode(record: TransactionRecord): CoordinatorRecord {
    return encodeRecord(record, valueVersion(this.env.transactionVersion()));
  }

  replay({ transactionalId, value }: TransactionRecord): void {
    if (value === null) this.transactions.delete(transactionalId);
    else this.transactions.set(transactionalId, value);
  }

  load({ key, value }: StoredRecord): void {
    const record = key === null ? null : decodeRecord(key, value);
    if (record !== null) this.replay(record);
  }

  /** Transactions whose outcome was decided before are completed. */
  loaded(): void {
    for (const [transactionalId, { state }] of [...this.transactions]) {
      if (isCompleting(state)) sendMarkers(this, transactionalId);
    }
  }

  unloaded(): void {
    this.completions.clear();
  }

  subjectOf(event: TransactionTimer): string {
    return event.transactionalId;
  }

  expired(event: TransactionTimer): Outcome<TransactionRecord, void> {
    return sendMarkersAgain(this, event.transactionalId);
  }
}
