import type { GroupConfig } from '../config/group-config.ts';
import { andThen, type Eventually } from '../coordinator/eventually.ts';
import type { Clock, Logger } from '../env.ts';
import type { Partition } from '../partition/partition.ts';
import { SharePartition } from './partition/share-partition.ts';
import type { SharePersister } from './persister.ts';
import { coordinatorKey, type SharePartitionKey } from './share-partition-key.ts';
import type { ShareSession, ShareSessions } from './share-sessions.ts';

export interface SharePartitionsOptions {
  readonly persister: SharePersister;
  readonly sessions: ShareSessions;
  readonly clock: Clock;
  readonly logger: Logger;
  groupConfig(groupId: string): GroupConfig;
}

/** The share partitions whose partitions this node leads, as far as members have asked for them (SharePartitionManager). */
export class SharePartitions {
  private readonly options: SharePartitionsOptions;
  private readonly byKey = new Map<string, SharePartition>();

  constructor(options: SharePartitionsOptions) {
    this.options = options;
  }

  get(key: SharePartitionKey): SharePartition | undefined {
    return this.byKey.get(coordinatorKey(key));
  }

  /** The group's share partition of the partition, loaded or about to be. */
  of(groupId: string, partition: Partition): SharePartition {
    const key = { groupId, topicId: partition.topicId, partition: partition.index };
    const known = this.get(key);
    if (known?.partition === partition && known.leaderEpoch === partition.leaderEpoch) return known;
    if (known !== undefined) this.remove(known);
    const { persister, clock, logger, groupConfig } = this.options;
    const made: SharePartition = new SharePartition({
      key,
      partition,
      persister,
      clock,
      logger,
      config: () => groupConfig(groupId),
      onFenced: () => this.remove(made),
    });
    this.byKey.set(coordinatorKey(key), made);
    return made;
  }

  remove(one: SharePartition): void {
    const name = coordinatorKey(one.key);
    if (this.byKey.get(name) === one) this.byKey.delete(name);
    one.close();
  }

  /** The member's session ends, if it is still the present one: what the member has is released. Done when that is written. */
  endSession(session: ShareSession): Eventually<void> {
    if (!this.options.sessions.end(session)) return;
    const { groupId, memberId } = session;
    const releasing = session.all().map(({ topicId, partition }) => {
      const released = this.get({ groupId, topicId, partition })?.release(memberId) ?? null;
      return andThen(released, (error) => {
        if (error !== null)
          this.options.logger.warn({ groupId, memberId, err: error }, 'records could not be released');
      });
    });
    const waiting = releasing.filter((one) => one instanceof Promise);
    if (waiting.length > 0) return Promise.all(waiting).then(() => {});
  }

  /** The connection of a session is gone. What nobody in the group fetches any more need not be kept in memory. */
  onDisconnected(session: ShareSession): Eventually<void> {
    return andThen(this.endSession(session), () => {
      if (!this.options.sessions.hasMembers(session.groupId))
        this.removeWhere(({ key }) => key.groupId === session.groupId);
    });
  }

  onTopicsDeleted(topics: readonly { readonly id: string }[]): void {
    const ids = new Set(topics.map(({ id }) => id));
    this.removeWhere(({ key }) => ids.has(key.topicId));
  }

  close(): void {
    this.removeWhere(() => true);
  }

  private removeWhere(isGone: (one: SharePartition) => boolean): void {
    for (const one of [...this.byKey.values()]) if (isGone(one)) this.remove(one);
  }
}
