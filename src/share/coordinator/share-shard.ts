import type { BrokerConfig } from '../../config/broker-config.ts';
import type { CoordinatorRecord, StoredRecord } from '../../coordinator/log.ts';
import { DONE, type Outcome, type StateMachine } from '../../coordinator/state-machine.ts';
import { coordinatorKey, type SharePartitionKey } from '../share-partition-key.ts';
import { combineBatches } from '../state-batch.ts';
import { decodeRecord, encodeRecord, type ShareRecord, type ShareSnapshot, type ShareUpdate } from './records.ts';

/** What the coordinator knows of one share partition. */
export interface ShareState {
  readonly key: SharePartitionKey;
  /** Snapshot and updates in one. */
  readonly value: ShareSnapshot;
  /** The highest leader epoch and state epoch seen: what is lower is fenced. A new initialization does not lower the first. */
  readonly leaderEpoch: number;
  readonly stateEpoch: number;
  /** Updates since one more of them was too many; 0 with the snapshot that followed. */
  readonly updates: number;
  /** Where the last snapshot stands in the log: nothing of the partition is needed below. -1 where there is none. */
  readonly snapshotOffset: number;
}

export interface ShareShardEnv {
  config(): BrokerConfig;
  /** How many partitions a topic has; null where there is no such topic. */
  partitionCountOf(topicId: string): number | null;
}

/** The share partitions whose state one partition of `__share_group_state` keeps. It has no timers. */
export class ShareShard implements StateMachine<ShareRecord, never> {
  /** By coordinator key. */
  readonly states = new Map<string, ShareState>();
  readonly env: ShareShardEnv;
  /** Of the last deletion, which is all that is left in the log where no state is. */
  private lastTombstoneOffset = 0;

  constructor(env: ShareShardEnv) {
    this.env = env;
  }

  /** Updates that a share partition may have before its next record is a snapshot. */
  get updatesPerSnapshot(): number {
    return this.env.config().get('share.coordinator.snapshot.update.records.per.snapshot');
  }

  /** The offset below which no record of the log is needed: each share partition begins with its last snapshot. */
  redundantBelow(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { snapshotOffset } of this.states.values()) lowest = Math.min(lowest, snapshotOffset);
    return lowest === Number.POSITIVE_INFINITY ? this.lastTombstoneOffset : Math.max(0, lowest);
  }

  encode(record: ShareRecord): CoordinatorRecord {
    return encodeRecord(record);
  }

  replay(record: ShareRecord, offset: number): void {
    const name = coordinatorKey(record.key);
    if (record.type === 'update') {
      this.states.set(name, this.updated(this.states.get(name), record.key, record.value));
    } else if (record.value === null) {
      this.states.delete(name);
      this.lastTombstoneOffset = offset;
    } else {
      this.states.set(name, this.snapshotted(this.states.get(name), record.key, record.value, offset));
    }
  }

  load({ key, value, offset, marker }: StoredRecord): void {
    if (key === null || marker !== null) return;
    const record = decodeRecord(key, value);
    if (record !== null) this.replay(record, offset);
  }

  loaded(): void {}
  unloaded(): void {}

  subjectOf(event: never): string {
    return event;
  }

  expired(): Outcome<ShareRecord, void> {
    return DONE;
  }

  private snapshotted(
    before: ShareState | undefined,
    key: SharePartitionKey,
    value: ShareSnapshot,
    snapshotOffset: number,
  ): ShareState {
    const updates = before?.updates ?? 0;
    return {
      key,
      value,
      leaderEpoch: Math.max(before?.leaderEpoch ?? value.leaderEpoch, value.leaderEpoch),
      stateEpoch: Math.max(before?.stateEpoch ?? value.stateEpoch, value.stateEpoch),
      updates: updates >= this.updatesPerSnapshot ? 0 : updates,
      snapshotOffset,
    };
  }

  private updated(before: ShareState | undefined, key: SharePartitionKey, update: ShareUpdate): ShareState {
    if (before === undefined) return unfounded(key, update);
    const { value } = before;
    const startOffset = update.startOffset === -1 ? value.startOffset : update.startOffset;
    return {
      ...before,
      value: {
        ...value,
        startOffset,
        leaderEpoch: update.leaderEpoch === -1 ? value.leaderEpoch : update.leaderEpoch,
        deliveryCompleteCount: update.deliveryCompleteCount,
        stateBatches: combineBatches([...value.stateBatches, ...update.stateBatches], startOffset),
      },
      leaderEpoch: Math.max(before.leaderEpoch, update.leaderEpoch),
      updates: before.updates + 1,
    };
  }
}

/** An update whose snapshot is not in the log any more. */
function unfounded(key: SharePartitionKey, update: ShareUpdate): ShareState {
  const value = { ...update, stateEpoch: 0, createTimestampMs: 0, writeTimestampMs: 0 };
  const { leaderEpoch } = update;
  return { key, value, leaderEpoch, stateEpoch: 0, updates: 1, snapshotOffset: -1 };
}
