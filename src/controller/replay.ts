/** Replay: the only way in which metadata changes. Takes records in log order and makes the next image and what changed. */
import { toNumber } from '../../protocol/int64.ts';
import {
  AccessControlEntryRecord,
  BrokerRegistrationChangeRecord,
  ClearElrRecord,
  ClientQuotaRecord,
  ConfigRecord,
  DelegationTokenRecord,
  FeatureLevelRecord,
  FenceBrokerRecord,
  PartitionChangeRecord,
  PartitionRecord,
  ProducerIdsRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  RemoveAccessControlEntryRecord,
  RemoveDelegationTokenRecord,
  RemoveTopicRecord,
  RemoveUserScramCredentialRecord,
  TopicRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
  UserScramCredentialRecord,
} from '../../protocol/metadata/index.ts';
import type { Message, MessageOf } from '../../protocol/schema.ts';
import {
  type BrokerImage,
  type ConfigResource,
  type ImageFields,
  type MetadataDelta,
  MetadataImage,
  type PartitionImage,
  type Provenance,
  quotaKey,
  ResourceType,
  resourceKey,
  type TopicImage,
} from './image.ts';
import type { MetadataRecord } from './records.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends ReadonlyMap<infer A, infer B> ? Map<A, B> : T[K] };

type MapName = Exclude<keyof ImageFields, keyof Provenance | 'nextProducerId'>;

/** Between two images: maps are copied when the first record touches them, topics when the first of theirs does. */
export class Replay {
  private readonly base: ImageFields;
  private readonly next: Mutable<ImageFields>;
  private readonly copied = new Set<keyof ImageFields>();
  /** Topics whose partition list has been copied already. */
  private readonly openTopics = new Map<string, PartitionImage[]>();
  private readonly createdTopics = new Set<string>();
  private readonly changedTopicIds = new Set<string>();
  private readonly deletedTopics: TopicImage[] = [];
  private readonly changedConfigs = new Map<string, ConfigResource>();
  private readonly changed = { features: false, brokers: false, quotas: false, scram: false };

  constructor(image: MetadataImage) {
    this.base = image.fields;
    this.next = { ...image.fields } as Mutable<ImageFields>;
  }

  /** Takes one record. Some have no meaning for the image: NoOp, the bounds of transactions of records. */
  apply(r: MetadataRecord): void {
    replays.get(r.message)?.(this, r.value as never);
  }

  /** The image with all records that were taken; it stands for the log up to `provenance`. */
  finish({ offset, leaderEpoch, timestampMs }: Provenance): { image: MetadataImage; delta: MetadataDelta } {
    for (const [id, partitions] of this.openTopics) {
      const topic = this.next.topicsById.get(id);
      if (topic === undefined) continue;
      const renewed = { ...topic, partitions };
      this.map('topicsById').set(id, renewed);
      this.map('topicsByName').set(topic.name, renewed);
    }
    return {
      image: new MetadataImage({ ...this.next, offset, leaderEpoch, timestampMs }),
      delta: {
        createdTopics: this.createdTopics,
        changedTopicIds: this.changedTopicIds,
        deletedTopics: this.deletedTopics,
        changedConfigs: [...this.changedConfigs.values()],
        featuresChanged: this.changed.features,
        brokersChanged: this.changed.brokers,
        quotasChanged: this.changed.quotas,
        scramChanged: this.changed.scram,
      },
    };
  }

  private map<K extends MapName>(key: K): Mutable<ImageFields>[K] {
    if (!this.copied.has(key)) {
      this.copied.add(key);
      (this.next as Record<string, unknown>)[key] = new Map(this.base[key] as ReadonlyMap<never, never>);
    }
    return this.next[key];
  }

  private partitionsOf(topicId: string): PartitionImage[] {
    let partitions = this.openTopics.get(topicId);
    if (partitions === undefined) {
      const topic = this.next.topicsById.get(topicId);
      if (topic === undefined) throw new Error(`metadata record for unknown topic ${topicId}`);
      partitions = [...topic.partitions];
      this.openTopics.set(topicId, partitions);
    }
    this.changedTopicIds.add(topicId);
    return partitions;
  }

  topic(value: MessageOf<typeof TopicRecord>): void {
    const topic = { name: value.name, id: value.topicId, partitions: [] };
    this.map('topicsByName').set(topic.name, topic);
    this.map('topicsById').set(topic.id, topic);
    this.createdTopics.add(topic.name);
    this.changedTopicIds.add(topic.id);
  }

  partition(value: MessageOf<typeof PartitionRecord>): void {
    this.partitionsOf(value.topicId)[value.partitionId] = {
      leader: value.leader,
      leaderRecoveryState: value.leaderRecoveryState,
      leaderEpoch: value.leaderEpoch,
      partitionEpoch: value.partitionEpoch,
      replicas: value.replicas,
      isr: value.isr,
      removingReplicas: value.removingReplicas,
      addingReplicas: value.addingReplicas,
      elr: value.eligibleLeaderReplicas ?? [],
      lastKnownElr: value.lastKnownElr ?? [],
      directories: value.directories,
    };
  }

  partitionChange(value: MessageOf<typeof PartitionChangeRecord>): void {
    const partitions = this.partitionsOf(value.topicId);
    const before = partitions[value.partitionId];
    const leaderChanges = value.leader !== UNCHANGED_LEADER;
    partitions[value.partitionId] = {
      leader: leaderChanges ? value.leader : before.leader,
      leaderRecoveryState:
        value.leaderRecoveryState === UNCHANGED_RECOVERY ? before.leaderRecoveryState : value.leaderRecoveryState,
      leaderEpoch: leaderChanges ? before.leaderEpoch + 1 : before.leaderEpoch,
      partitionEpoch: before.partitionEpoch + 1,
      replicas: value.replicas ?? before.replicas,
      isr: value.isr ?? before.isr,
      removingReplicas: value.removingReplicas ?? before.removingReplicas,
      addingReplicas: value.addingReplicas ?? before.addingReplicas,
      elr: value.eligibleLeaderReplicas ?? before.elr,
      lastKnownElr: value.lastKnownElr ?? before.lastKnownElr,
      directories: value.directories ?? before.directories,
    };
  }

  /** KIP-966: the eligible leader replicas of one topic, or of all (''), are no longer to be trusted. */
  clearElr(topicName: string): void {
    const topics = topicName === '' ? [...this.next.topicsByName.values()] : [this.next.topicsByName.get(topicName)];
    for (const topic of topics) if (topic !== undefined) this.clearElrOf(topic);
  }

  private clearElrOf({ id, partitions: unchanged }: TopicImage): void {
    const before = this.openTopics.get(id) ?? unchanged;
    for (const [index, p] of before.entries()) {
      if (p.elr.length === 0 && p.lastKnownElr.length === 0) continue;
      this.partitionsOf(id)[index] = { ...p, elr: [], lastKnownElr: [], partitionEpoch: p.partitionEpoch + 1 };
    }
  }

  removeTopic(value: MessageOf<typeof RemoveTopicRecord>): void {
    const topic = this.next.topicsById.get(value.topicId);
    if (topic === undefined) return;
    this.map('topicsById').delete(topic.id);
    this.map('topicsByName').delete(topic.name);
    this.openTopics.delete(topic.id);
    this.changedTopicIds.delete(topic.id);
    const configs = resourceKey(ResourceType.TOPIC, topic.name);
    if (this.next.configs.has(configs)) this.map('configs').delete(configs);
    const isKnownToNobody = this.createdTopics.delete(topic.name) && !this.base.topicsById.has(topic.id);
    if (!isKnownToNobody) this.deletedTopics.push(topic);
  }

  config(value: MessageOf<typeof ConfigRecord>): void {
    const { resourceType: type, resourceName: name } = value;
    const key = resourceKey(type, name);
    const entries = new Map(this.next.configs.get(key));
    if (value.value === null) entries.delete(value.name);
    else entries.set(value.name, value.value);
    if (entries.size > 0) this.map('configs').set(key, entries);
    else this.map('configs').delete(key);
    this.changedConfigs.set(key, { type, name });
  }

  feature(value: MessageOf<typeof FeatureLevelRecord>): void {
    if (value.featureLevel === 0) this.map('features').delete(value.name);
    else this.map('features').set(value.name, value.featureLevel);
    this.changed.features = true;
  }

  producerIds(value: MessageOf<typeof ProducerIdsRecord>): void {
    this.next.nextProducerId = toNumber(value.nextProducerId);
  }

  registerBroker(value: MessageOf<typeof RegisterBrokerRecord>): void {
    this.map('brokers').set(value.brokerId, {
      id: value.brokerId,
      epoch: toNumber(value.brokerEpoch),
      incarnationId: value.incarnationId,
      endpoints: value.endPoints,
      features: value.features,
      rack: value.rack,
      fenced: value.fenced,
      inControlledShutdown: value.inControlledShutdown,
      directories: value.logDirs,
      cordonedDirectories: value.cordonedLogDirs ?? [],
    });
    this.changed.brokers = true;
  }

  registerController(value: MessageOf<typeof RegisterControllerRecord>): void {
    this.map('controllers').set(value.controllerId, {
      id: value.controllerId,
      incarnationId: value.incarnationId,
      zkMigrationReady: value.zkMigrationReady,
      endpoints: value.endPoints,
      features: value.features,
    });
  }

  acl(id: string, entry: MessageOf<typeof AccessControlEntryRecord> | null): void {
    if (entry === null) this.map('acls').delete(id);
    else this.map('acls').set(id, entry);
  }

  delegationToken(id: string, token: MessageOf<typeof DelegationTokenRecord> | null): void {
    if (token === null) this.map('delegationTokens').delete(id);
    else this.map('delegationTokens').set(id, token);
  }

  changeBroker(id: number, change: Partial<BrokerImage>): void {
    const broker = this.next.brokers.get(id);
    if (broker !== undefined) this.map('brokers').set(id, { ...broker, ...change });
    this.changed.brokers = true;
  }

  unregisterBroker(value: MessageOf<typeof UnregisterBrokerRecord>): void {
    this.map('brokers').delete(value.brokerId);
    this.changed.brokers = true;
  }

  clientQuota(value: MessageOf<typeof ClientQuotaRecord>): void {
    const entity = new Map(value.entity.map((e): [string, string | null] => [e.entityType, e.entityName]));
    const key = quotaKey(entity);
    const values = new Map(this.next.quotas.get(key)?.values);
    if (value.remove) values.delete(value.key);
    else values.set(value.key, value.value);
    if (values.size > 0) this.map('quotas').set(key, { entity, values });
    else this.map('quotas').delete(key);
    this.changed.quotas = true;
  }

  scram(user: string, mechanism: number, credential: MessageOf<typeof UserScramCredentialRecord> | null): void {
    const rest = (this.next.scram.get(user) ?? []).filter((c) => c.mechanism !== mechanism);
    if (credential !== null) {
      const { salt, storedKey, serverKey, iterations } = credential;
      rest.push({ mechanism, salt, storedKey, serverKey, iterations });
    }
    rest.sort((a, b) => a.mechanism - b.mechanism);
    if (rest.length > 0) this.map('scram').set(user, rest);
    else this.map('scram').delete(user);
    this.changed.scram = true;
  }
}

const UNCHANGED_LEADER = -2;
const UNCHANGED_RECOVERY = -1;

/** -1 unfenced, 1 fenced, 0 as before (BrokerRegistrationFencingChange). */
const toFlag = (change: number): boolean | undefined => (change === 0 ? undefined : change > 0);

type Apply<M extends Message> = (replay: Replay, value: MessageOf<M>) => void;

function on<M extends Message>(message: M, apply: Apply<M>): [Message, Apply<never>] {
  return [message, apply as unknown as Apply<never>];
}

const replays = new Map<Message, Apply<never>>([
  on(TopicRecord, (r, v) => r.topic(v)),
  on(PartitionRecord, (r, v) => r.partition(v)),
  on(PartitionChangeRecord, (r, v) => r.partitionChange(v)),
  on(ClearElrRecord, (r, v) => r.clearElr(v.topicName)),
  on(RemoveTopicRecord, (r, v) => r.removeTopic(v)),
  on(ConfigRecord, (r, v) => r.config(v)),
  on(FeatureLevelRecord, (r, v) => r.feature(v)),
  on(ProducerIdsRecord, (r, v) => r.producerIds(v)),
  on(RegisterBrokerRecord, (r, v) => r.registerBroker(v)),
  on(UnregisterBrokerRecord, (r, v) => r.unregisterBroker(v)),
  on(FenceBrokerRecord, (r, v) => r.changeBroker(v.id, { fenced: true })),
  on(UnfenceBrokerRecord, (r, v) => r.changeBroker(v.id, { fenced: false })),
  on(BrokerRegistrationChangeRecord, (r, v) => {
    const fenced = toFlag(v.fenced);
    const shutdown = toFlag(v.inControlledShutdown);
    r.changeBroker(v.brokerId, {
      ...(fenced === undefined ? {} : { fenced }),
      ...(shutdown === undefined ? {} : { inControlledShutdown: shutdown }),
      ...(v.logDirs.length === 0 ? {} : { directories: v.logDirs }),
      ...(v.cordonedLogDirs === null ? {} : { cordonedDirectories: v.cordonedLogDirs }),
    });
  }),
  on(RegisterControllerRecord, (r, v) => r.registerController(v)),
  on(AccessControlEntryRecord, (r, v) => r.acl(v.id, v)),
  on(RemoveAccessControlEntryRecord, (r, v) => r.acl(v.id, null)),
  on(DelegationTokenRecord, (r, v) => r.delegationToken(v.tokenId, v)),
  on(RemoveDelegationTokenRecord, (r, v) => r.delegationToken(v.tokenId, null)),
  on(ClientQuotaRecord, (r, v) => r.clientQuota(v)),
  on(UserScramCredentialRecord, (r, v) => r.scram(v.name, v.mechanism, v)),
  on(RemoveUserScramCredentialRecord, (r, v) => r.scram(v.name, v.mechanism, null)),
]);
