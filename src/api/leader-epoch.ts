import { ErrorCode } from '../../protocol/errors.ts';
import type { Partition } from '../partition/partition.ts';

/** The client names no epoch. */
export const NO_LEADER_EPOCH = -1;

/**
 * Kafka's error for a client that may not read here; 0 where it may. KIP-320: a client that names an older leader epoch is
 * fenced; one that names a newer one knows more than we do.
 */
export function checkLeaderEpoch(partition: Partition, currentLeaderEpoch: number): number {
  if (partition.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
  if (currentLeaderEpoch === NO_LEADER_EPOCH || currentLeaderEpoch === partition.leaderEpoch) return 0;
  return currentLeaderEpoch < partition.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH;
}

/**
 * Where `epoch` ended in the partition, and the epoch that this holds for, the largest one that is not above it; -1 and -1 where
 * the log does not know (Partition.lastOffsetForLeaderEpoch).
 */
export function epochEnd({ leaderEpoch, log }: Partition, epoch: number): { epoch: number; endOffset: number } {
  // the epoch in force has no end yet: it ends, so far, at the log end
  return epoch === leaderEpoch ? { epoch, endOffset: log.logEndOffset } : log.endOffsetForEpoch(epoch);
}
