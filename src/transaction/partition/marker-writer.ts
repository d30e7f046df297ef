/** Writes transaction markers into the partitions that this node leads: for WriteTxnMarkers, and for its own coordinator. */
import { ErrorCode, errorName } from '../../../protocol/errors.ts';
import { transactionMarkerBatch } from '../../../protocol/records/control.ts';
import { all, andThen, type Eventually } from '../../coordinator/eventually.ts';
import type { EndMarker } from '../../coordinator/log.ts';
import { OFFSETS_TOPIC } from '../../coordinator/topics.ts';
import type { Clock, Logger } from '../../env.ts';
import { AppendError } from '../../partition/append-result.ts';
import type { Partitions } from '../../partition/partitions.ts';
import type { Marker, MarkerOutcome, MarkerOutcomes } from '../coordinator/markers.ts';
import type { TopicPartition } from '../coordinator/partition-set.ts';

export interface MarkerWriterOptions {
  readonly partitions: Partitions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the cluster has such a partition, wherever it lies. */
  exists(partition: TopicPartition): boolean;
  /** Writes a marker into a partition of `__consumer_offsets` and lets the groups' offsets follow it; gives the error code. */
  endOffsets(partition: number, marker: EndMarker): Eventually<number>;
}

export class MarkerWriter {
  private readonly options: MarkerWriterOptions;

  constructor(options: MarkerWriterOptions) {
    this.options = options;
  }

  /** The error code for the partition. */
  write({ topic, partition }: TopicPartition, marker: EndMarker): Eventually<number> {
    const found = this.options.partitions.get(topic, partition);
    if (found === undefined || found.isOffline) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (topic === OFFSETS_TOPIC) return andThen(this.options.endOffsets(partition, marker), asPartitionError);
    const { producerId, producerEpoch, result, coordinatorEpoch, transactionVersion } = marker;
    // a producer that nothing is known of has epoch -1: this one is older
    if (producerEpoch < -1) return ErrorCode.INVALID_PRODUCER_EPOCH;
    const commit = result === 'commit';
    const timestampMs = this.options.clock.nowMs();
    const batch = transactionMarkerBatch({ commit, coordinatorEpoch, producerId, producerEpoch, timestampMs });
    try {
      const { lastOffset } = found.appendAsCoordinator(batch, { transactionVersion });
      const committed = found.whenCommitted(lastOffset + 1);
      if (committed === null) return ErrorCode.NONE;
      return committed.then(
        () => ErrorCode.NONE,
        (error) => this.codeOf(error),
      );
    } catch (error) {
      return this.codeOf(error);
    }
  }

  /** Sends a transaction's marker to all of its partitions, each of which is led by this node. */
  send(marker: Marker): Eventually<MarkerOutcomes> {
    const outcomes = [...marker.partitions].map((partition) => {
      if (!this.options.exists(partition)) return { partition, outcome: 'gone' as const };
      return andThen(this.write(partition, marker), (code) => ({ partition, outcome: outcomeOf(code) }));
    });
    return all<MarkerOutcomes[number]>(outcomes);
  }

  private codeOf(error: unknown): number {
    if (error instanceof AppendError) return ErrorCode[error.errorName];
    this.options.logger.error({ err: error }, 'a transaction marker could not be written');
    return ErrorCode.UNKNOWN_SERVER_ERROR;
  }
}

/** What a coordinator of groups answers, as the leader of a partition says it. */
function asPartitionError(code: number): number {
  switch (code) {
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.NOT_COORDINATOR:
      return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    default:
      return code;
  }
}

function outcomeOf(code: number): MarkerOutcome {
  switch (errorName(code)) {
    case 'NONE':
      return 'written';
    case 'INVALID_PRODUCER_EPOCH':
    case 'TRANSACTION_COORDINATOR_FENCED':
      return 'fenced';
    default:
      return 'again';
  }
}
