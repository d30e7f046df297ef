import type { Int64 } from '../../../protocol/int64.ts';
import { PartitionTable } from './partition-table.ts';
import type { CommittedOffset } from './records.ts';

/** A committed offset and where its record stands in the log. */
export interface StoredOffset extends CommittedOffset {
  readonly recordOffset: number;
}

/** One object for both: there may be millions of them. `topicId` is the value's, in the instance to be kept. */
export function storedOffset(value: CommittedOffset, topicId: string, recordOffset: number): StoredOffset {
  const { offset, leaderEpoch, metadata, commitTimestampMs, expireTimestampMs } = value;
  return { offset, leaderEpoch, metadata, commitTimestampMs, expireTimestampMs, topicId, recordOffset };
}

/**
 * The committed offsets of all groups of one partition, and those inside transactions that are still open (KIP-98): they
 * become visible when the transaction's marker says so.
 */
export class OffsetStore {
  readonly committed = new PartitionTable<StoredOffset>();
  /** By producer id. */
  private readonly pending = new Map<Int64, PartitionTable<StoredOffset>>();
  /** The producers with an offset pending. */
  private readonly open = new PartitionTable<Set<Int64>>();

  put(groupId: string, topic: string, partition: number, stored: StoredOffset): void {
    this.committed.set(groupId, topic, partition, stored);
  }

  /** An offset inside the producer's open transaction. */
  putPending(producerId: Int64, groupId: string, topic: string, partition: number, stored: StoredOffset): void {
    let offsets = this.pending.get(producerId);
    if (offsets === undefined) {
      offsets = new PartitionTable();
      this.pending.set(producerId, offsets);
    }
    offsets.set(groupId, topic, partition, stored);
    const producers = this.open.get(groupId, topic, partition);
    if (producers === undefined) this.open.set(groupId, topic, partition, new Set([producerId]));
    else producers.add(producerId);
  }

  /** Deletes the offset, and what open transactions would put in its place. */
  delete(groupId: string, topic: string, partition: number): void {
    this.committed.delete(groupId, topic, partition);
    for (const producerId of this.open.get(groupId, topic, partition) ?? []) {
      this.pending.get(producerId)?.delete(groupId, topic, partition);
    }
    this.open.delete(groupId, topic, partition);
  }

  /** The producer's transaction has ended. An offset committed after the pending one, outside of it, stays. */
  endTransaction(producerId: Int64, result: 'commit' | 'abort'): void {
    const offsets = this.pending.get(producerId);
    if (offsets === undefined) return;
    this.pending.delete(producerId);
    for (const groupId of offsets.groupIds()) {
      for (const [topic, partition, stored] of offsets.entriesOf(groupId)) {
        this.close(producerId, groupId, topic, partition);
        if (result === 'abort') continue;
        const present = this.committed.get(groupId, topic, partition);
        if (present === undefined || present.recordOffset < stored.recordOffset) {
          this.committed.set(groupId, topic, partition, stored);
        }
      }
    }
  }

  /** Whether the group has an offset for the partition, committed or pending. */
  has(groupId: string, topic: string, partition: number): boolean {
    return this.committed.get(groupId, topic, partition) !== undefined || this.hasPending(groupId, topic, partition);
  }

  hasPending(groupId: string, topic: string, partition: number): boolean {
    return this.open.get(groupId, topic, partition) !== undefined;
  }

  groupHasPending(groupId: string): boolean {
    return this.open.of(groupId) !== undefined;
  }

  /** Every partition for which the group has an offset, committed or pending. */
  *partitionsOf(groupId: string): IterableIterator<[topic: string, partition: number]> {
    for (const [topic, partition] of this.committed.entriesOf(groupId)) yield [topic, partition];
    for (const [topic, partition] of this.open.entriesOf(groupId)) {
      if (this.committed.get(groupId, topic, partition) === undefined) yield [topic, partition];
    }
  }

  /** The pending offsets of a group. */
  *pendingOf(groupId: string): IterableIterator<[topic: string, partition: number, stored: StoredOffset]> {
    for (const offsets of this.pending.values()) yield* offsets.entriesOf(groupId);
  }

  /** Groups with at least one offset, committed or pending. */
  groupIds(): Set<string> {
    return new Set([...this.committed.groupIds(), ...this.open.groupIds()]);
  }

  private close(producerId: Int64, groupId: string, topic: string, partition: number): void {
    const producers = this.open.get(groupId, topic, partition);
    producers?.delete(producerId);
    if (producers?.size === 0) this.open.delete(groupId, topic, partition);
  }
}
