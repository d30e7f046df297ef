/**
 * How those who work with share partitions reach the share coordinator that keeps the state (KIP-932): the one in this process, or
 * that of another broker. Every failure is in the results, one a partition and in the order of the request.
 */
import type { Eventually } from '../coordinator/eventually.ts';
import type { StateBatch } from './state-batch.ts';

export interface TopicPartitionId {
  readonly topicId: string;
  readonly partition: number;
}

export interface InitializeState extends TopicPartitionId {
  /** Grows with each new initialization; a lower one than the present is fenced. */
  readonly stateEpoch: number;
  /** -1: where the group's share.auto.offset.reset says, when the partition is read for the first time. */
  readonly startOffset: number;
}

export interface ReadState extends TopicPartitionId {
  /** Of the partition's leader; -1 where it is not known. The latest one fences earlier ones. */
  readonly leaderEpoch: number;
}

export interface WriteState extends ReadState {
  readonly stateEpoch: number;
  /** -1: as it was. */
  readonly startOffset: number;
  /** Records from the start offset on that are acknowledged or archived; -1 where it is not known. */
  readonly deliveryCompleteCount: number;
  readonly stateBatches: readonly StateBatch[];
}

export interface PartitionResult extends TopicPartitionId {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface ReadResult extends PartitionResult {
  readonly stateEpoch: number;
  /** -1: not decided yet. */
  readonly startOffset: number;
  readonly stateBatches: readonly StateBatch[];
}

/** A partition that was never initialized has start offset -1 and epochs 0, and no error. */
export interface SummaryResult extends PartitionResult {
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
  readonly deliveryCompleteCount: number;
}

export interface SharePersister {
  initialize(groupId: string, partitions: readonly InitializeState[]): Eventually<PartitionResult[]>;
  read(groupId: string, partitions: readonly ReadState[]): Eventually<ReadResult[]>;
  write(groupId: string, partitions: readonly WriteState[]): Eventually<PartitionResult[]>;
  readSummary(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<SummaryResult[]>;
  delete(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<PartitionResult[]>;
}
