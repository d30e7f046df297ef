import type { BrokerConfig } from '../config/broker-config.ts';
import type { MetadataImage } from '../controller/image.ts';
import type { CoordinatorRecord, EndMarker, InTransaction, StoredRecord } from '../coordinator/log.ts';
import type { Outcome, StateMachine } from '../coordinator/state-machine.ts';
import type { TimerSink } from '../coordinator/timers.ts';
import type { Logger, Random } from '../env.ts';
import { ClassicGroup } from './classic/classic-group.ts';
import { classicLoaded, classicUnloaded, expireClassic, replayClassic } from './classic/life.ts';
import { consumerLoaded, expireConsumer, replayConsumer } from './consumer/life.ts';
import { NewTopics } from './consumer/subscriptions/new-topics.ts';
import type { Group } from './group.ts';
import { OffsetStore, storedOffset } from './offsets/offset-store.ts';
import type { OffsetRecord } from './offsets/records.ts';
import { decodeRecord, encodeRecord, type GroupRecord } from './records.ts';
import { expireShare, replayShare, shareLoaded } from './share/life.ts';
import { expireStreams, replayStreams, streamsLoaded } from './streams/life.ts';
import type { GroupTimer } from './timers.ts';

export interface GroupShardEnv {
  config(): BrokerConfig;
  /** The metadata in force: what the groups' topics look like. */
  image(): MetadataImage;
  readonly random: Random;
  readonly logger: Logger;
  readonly timers: TimerSink<GroupTimer>;
}

/** The groups and committed offsets that one partition of `__consumer_offsets` holds. */
export class GroupShard implements StateMachine<GroupRecord, GroupTimer> {
  readonly groups = new Map<string, Group>();
  readonly offsets = new OffsetStore();
  readonly env: GroupShardEnv;
  /** When the metadata last got topics that regular expressions may match. */
  readonly newTopics = new NewTopics();
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
    this.apply(record, offset, within);
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
    else this.apply(record, stored.offset, stored.producerId === -1 ? null : stored);
  }

  /** `within`: the transaction that the record belongs to, if any. */
  private apply(record: GroupRecord, offset: number, within: Pick<InTransaction, 'producerId'> | null): void {
    switch (record.type) {
      case 'offset':
        this.replayOffset(record, offset, within);
        break;
      case 'classic':
        replayClassic(this, record);
        break;
      case 'consumer':
        replayConsumer(this, record);
        break;
      case 'share':
        replayShare(this, record);
        break;
      case 'streams':
        replayStreams(this, record);
        break;
    }
  }

  loaded(nowMs: number): void {
    if (this.foreignRecords > 0) {
      const fields = { count: this.foreignRecords };
      this.env.logger.warn(fields, 'records of a kind that is not known are left alone');
    }
    for (const group of this.groups.values()) this.groupLoaded(group, nowMs);
  }

  private groupLoaded(group: Group, nowMs: number): void {
    switch (group.type) {
      case 'classic':
        classicLoaded(this, group, nowMs);
        break;
      case 'consumer':
        consumerLoaded(this, group);
        break;
      case 'share':
        shareLoaded(this, group, nowMs);
        break;
      case 'streams':
        streamsLoaded(this, group);
        break;
    }
  }

  unloaded(): void {
    for (const group of this.groups.values()) if (group.type === 'classic') classicUnloaded(group);
  }

  subjectOf(event: GroupTimer): string {
    return event.groupId;
  }

  expired(event: GroupTimer, nowMs: number): Outcome<GroupRecord, void> {
    switch (event.groupType) {
      case 'classic':
        return expireClassic(this, event, nowMs);
      case 'consumer':
        return expireConsumer(this, event, nowMs);
      case 'share':
        return expireShare(this, event);
      case 'streams':
        return expireStreams(this, event, nowMs);
    }
  }

  /** The group where it is a classic one. */
  classic(groupId: string): ClassicGroup | undefined {
    const group = this.groups.get(groupId);
    return group?.type === 'classic' ? group : undefined;
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

  private replayOffset(record: OffsetRecord, offset: number, within: Pick<InTransaction, 'producerId'> | null): void {
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
