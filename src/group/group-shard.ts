import { ErrorCode } from '../../protocol/errors.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { CoordinatorRecord, EndMarker, InTransaction, StoredRecord } from '../coordinator/log.ts';
import { DONE, type Outcome, type StateMachine } from '../coordinator/state-machine.ts';
import type { TimerSink } from '../coordinator/timers.ts';
import type { Logger, Random } from '../env.ts';
import { ClassicGroup } from './group.ts';
import { expireMember } from './heartbeat.ts';
import { OffsetStore, storedOffset } from './offset-store.ts';
import { completeInitialRebalance, completeJoin, expireSync, prepareRebalance } from './rebalance.ts';
import { decodeRecord, encodeRecord, type GroupRecord } from './records.ts';
import { cancelGroupTimers, type GroupTimer, scheduleSession } from './timers.ts';

export interface GroupShardEnv {
  config(): BrokerConfig;
  readonly random: Random;
  readonly logger: Logger;
  readonly timers: TimerSink<GroupTimer>;
}

/** A group of any kind; KIP-848, share and streams groups will be further members of this union. */
export type Group = ClassicGroup;

/** The groups and committed offsets that one partition of `__consumer_offsets` holds. */
export class GroupShard implements StateMachine<GroupRecord, GroupTimer> {
  readonly groups = new Map<string, Group>();
  readonly offsets = new OffsetStore();
  readonly env: GroupShardEnv;
  /** Ids of the topics that offsets were committed for, by name. */
  private readonly topicIds = new Map<string, string>();
  /** Records of kinds of groups that are not served, by kind of key. */
  private foreignRecords = 0;

  constructor(env: GroupShardEnv) {
    this.env = env;
  }

  get timers(): TimerSink<GroupTimer> {
    return this.env.timers;
  }

  get config(): BrokerConfig {
    return this.env.config();
  }

  encode(record: GroupRecord): CoordinatorRecord {
    return encodeRecord(record);
  }

  replay(record: GroupRecord, offset: number, within: InTransaction | null): void {
    if (record.type === 'group') this.replayGroup(record);
    else this.replayOffset(record, offset, within);
  }

  ended({ producerId, result }: EndMarker): void {
    this.offsets.endTransaction(producerId, result);
  }

  load(stored: StoredRecord): void {
    if (stored.marker !== null) {
      this.offsets.endTransaction(stored.producerId, stored.marker);
      return;
    }
    if (stored.key === null) return;
    const record = decodeRecord(stored.key, stored.value);
    if (record === null) this.foreignRecords++;
    else if (record.type === 'group') this.replayGroup(record);
    else this.replayOffset(record, stored.offset, stored.producerId === -1 ? null : stored);
  }

  loaded(nowMs: number): void {
    if (this.foreignRecords > 0) {
      const fields = { count: this.foreignRecords };
      this.env.logger.warn(fields, 'records of consumer, share or streams groups are left alone: not served yet');
    }
    const maxSize = this.config.get('group.max.size');
    for (const group of this.groups.values()) {
      for (const member of group.members.values()) scheduleSession(this, group, member);
      if (group.members.size > maxSize)
        prepareRebalance(this, group, 'the loaded group is over its maximum size', nowMs);
    }
  }

  unloaded(): void {
    const errorCode = ErrorCode.NOT_COORDINATOR;
    for (const group of this.groups.values()) {
      for (const member of group.members.values()) {
        group.answerJoin(member, { memberId: member.memberId, errorCode });
        member.answerSync({ errorCode });
      }
    }
  }

  subjectOf(event: GroupTimer): string {
    return event.groupId;
  }

  expired(event: GroupTimer, nowMs: number): Outcome<GroupRecord, void> {
    const group = this.groups.get(event.groupId);
    if (group === undefined) return DONE;
    switch (event.type) {
      case 'session':
        return expireMember(this, group, event.memberId, nowMs);
      case 'initial-rebalance':
        return completeInitialRebalance(this, group, event, nowMs);
      case 'join':
        return completeJoin(this, group, nowMs);
      case 'sync':
        return expireSync(this, group, event.generationId, nowMs);
    }
  }

  private replayGroup(record: GroupRecord & { type: 'group' }): void {
    const { groupId, value } = record;
    const group = this.groups.get(groupId);
    if (value === null) {
      if (group !== undefined) cancelGroupTimers(this, group);
      this.groups.delete(groupId);
      return;
    }
    const present = group ?? new ClassicGroup(groupId, 0);
    present.apply(value);
    this.groups.set(groupId, present);
  }

  /** The topics are gone. */
  forgetTopicIds(topics: Iterable<string>): void {
    for (const topic of topics) this.topicIds.delete(topic);
  }

  /** The id in the instance that other offsets of the topic hold already. */
  private sameTopicId(topic: string, topicId: string): string {
    const known = this.topicIds.get(topic);
    if (known === topicId) return known;
    this.topicIds.set(topic, topicId);
    return topicId;
  }

  /** `within`: the transaction that the record belongs to, if any. */
  private replayOffset(
    record: GroupRecord & { type: 'offset' },
    offset: number,
    within: Pick<InTransaction, 'producerId'> | null,
  ): void {
    const { groupId, topic, partition, value } = record;
    if (value === null) {
      this.offsets.delete(groupId, topic, partition);
      return;
    }
    // the group of a consumer that only commits offsets has no record of its own
    if (!this.groups.has(groupId)) this.groups.set(groupId, new ClassicGroup(groupId, value.commitTimestampMs));
    const stored = storedOffset(value, this.sameTopicId(topic, value.topicId), offset);
    if (within === null) this.offsets.put(groupId, topic, partition, stored);
    else this.offsets.putPending(within.producerId, groupId, topic, partition, stored);
  }
}
