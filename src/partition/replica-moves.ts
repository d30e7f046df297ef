import type { Partition } from './partition.ts';

/** A replica on its way into another log directory, as DescribeLogDirs tells of it (KIP-113). */
export interface FutureReplica {
  readonly topic: string;
  readonly index: number;
  /** The directory that it moves to. */
  readonly path: string;
  readonly sizeBytes: number;
  /** How many offsets it is behind. */
  readonly offsetLag: number;
}

/** Moves replicas between the log directories of this node. */
export interface ReplicaMoves {
  /** Has the replica moved to the directory `path`, which is online; where it lies there already, a move that is under way is called off. */
  alter(partition: Partition, path: string): void;
  underWay(): Iterable<FutureReplica>;
}
