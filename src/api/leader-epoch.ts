import { ErrorCode } from '../../protocol/errors.ts';
import type { Partition } from '../partition/partition.ts';

/** Kafka's error for a client that may not read here; 0 where it may. KIP-320: a client that names an older leader epoch is fenced; one that names a newer one knows more than we do. */
export function checkLeaderEpoch(partition: Partition, currentLeaderEpoch: number): number {
  if (partition.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === partition.leaderEpoch) return 0;
  return currentLeaderEpoch < partition.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH;
}
