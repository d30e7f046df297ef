/** Which brokers hold the replicas of new partitions (KIP-455, StripedReplicaPlacer); without racks: round robin. */
import type { BrokerImage, MetadataImage, PartitionImage } from './image.ts';

/** Directory id of a replica whose broker chooses the directory itself (KIP-858). */
export const UNASSIGNED_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA';

export function usableBrokers(image: MetadataImage): BrokerImage[] {
  return [...image.brokers()].filter((b) => !b.fenced && !b.inControlledShutdown).sort((a, b) => a.id - b.id);
}

/** The replicas of each of `count` partitions, the first one meant to lead; partition `first` is where the round begins. */
export function place(
  brokers: readonly BrokerImage[],
  first: number,
  count: number,
  replicationFactor: number,
): number[][] {
  return Array.from({ length: count }, (_, p) =>
    Array.from({ length: replicationFactor }, (_, r) => brokers[(first + p + r) % brokers.length].id),
  );
}

/** A partition as it begins: all usable replicas in sync, the first of them leads. */
export function newPartition(image: MetadataImage, replicas: readonly number[]): PartitionImage {
  const usable = new Set(usableBrokers(image).map((b) => b.id));
  const isr = replicas.filter((id) => usable.has(id));
  return {
    leader: isr[0],
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas,
    isr,
    removingReplicas: [],
    addingReplicas: [],
    elr: [],
    lastKnownElr: [],
    directories: replicas.map((id) => directoryOn(image, id)),
  };
}

/** A broker with one directory has no choice. */
function directoryOn(image: MetadataImage, brokerId: number): string {
  const directories = image.broker(brokerId)?.directories ?? [];
  return directories.length === 1 ? directories[0] : UNASSIGNED_DIRECTORY;
}

/** What is wrong with replicas that somebody chose by hand, in Kafka's words. */
export function assignmentProblem(image: MetadataImage, replicas: readonly number[]): string | null {
  const prefix = 'The manual partition assignment includes';
  if (replicas.length === 0) return `${prefix} an empty replica list.`;
  const seen = new Set<number>();
  for (const id of [...replicas].sort((a, b) => a - b)) {
    if (image.broker(id) === undefined) return `${prefix} broker ${id}, but no such broker is registered.`;
    if (seen.has(id)) return `${prefix} the broker ${id} more than once.`;
    seen.add(id);
  }
  return null;
}
