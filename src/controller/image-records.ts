/**
 * An image as records: what a snapshot of the metadata log consists of (MetadataImage.write of Kafka, in its order). Replayed from nothing
 * they make the same image. Their versions are those that every node of a cluster at the image's metadata.version reads.
 */
import {
  AccessControlEntryRecord,
  ClientQuotaRecord,
  ConfigRecord,
  DelegationTokenRecord,
  FeatureLevelRecord,
  PartitionRecord,
  ProducerIdsRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  TopicRecord,
  UserScramCredentialRecord,
} from '../../protocol/metadata/index.ts';
import { METADATA_VERSION, MetadataLevel } from './features.ts';
import type { BrokerImage, ControllerImage, MetadataImage, PartitionImage, QuotaImage } from './image.ts';
import { type MetadataRecord, record } from './records.ts';

export function* imageRecords(image: MetadataImage): Generator<MetadataRecord> {
  const { fields, features } = image;
  const level = features.get(METADATA_VERSION) ?? MetadataLevel.CORDONED_LOG_DIRS;
  yield* featureRecords(features);
  for (const broker of image.brokers()) yield brokerRecord(broker, level);
  for (const controller of fields.controllers.values()) yield controllerRecord(controller);
  for (const { name, id: topicId, partitions } of image.topics()) {
    yield record(TopicRecord, { name, topicId });
    for (const [partitionId, p] of partitions.entries()) yield partitionRecord(topicId, partitionId, p, level);
  }
  for (const [key, values] of fields.configs) yield* configRecords(key, values);
  for (const quota of image.quotas()) yield* quotaRecords(quota);
  const { nextProducerId } = fields;
  if (nextProducerId > 0) yield record(ProducerIdsRecord, { brokerId: -1, brokerEpoch: -1, nextProducerId });
  for (const entry of fields.acls.values()) yield record(AccessControlEntryRecord, entry);
  yield* scramRecords(image);
  for (const token of fields.delegationTokens.values()) yield record(DelegationTokenRecord, token);
}

/** metadata.version first: it says how to read what follows. */
function* featureRecords(features: ReadonlyMap<string, number>): Generator<MetadataRecord> {
  const own = features.get(METADATA_VERSION);
  if (own !== undefined) yield record(FeatureLevelRecord, { name: METADATA_VERSION, featureLevel: own });
  for (const [name, featureLevel] of features) {
    if (name !== METADATA_VERSION) yield record(FeatureLevelRecord, { name, featureLevel });
  }
}

/** Only what is there: a field of a later version must not be given at all, unless it has its default. */
const unlessEmpty = <T>(values: readonly T[]): readonly T[] | undefined => (values.length === 0 ? undefined : values);

function brokerRecord(broker: BrokerImage, level: number): MetadataRecord {
  const knowsDirectories = level >= MetadataLevel.DIRECTORY_ASSIGNMENT;
  const knowsCordoned = level >= MetadataLevel.CORDONED_LOG_DIRS;
  const older = level >= MetadataLevel.ZK_MIGRATION ? 2 : 1;
  const value = {
    brokerId: broker.id,
    incarnationId: broker.incarnationId,
    brokerEpoch: broker.epoch,
    endPoints: broker.endpoints,
    features: broker.features,
    rack: broker.rack,
    fenced: broker.fenced,
    inControlledShutdown: broker.inControlledShutdown,
    ...(knowsDirectories ? { logDirs: broker.directories } : {}),
    ...(knowsCordoned ? { cordonedLogDirs: broker.cordonedDirectories } : {}),
  };
  return record(RegisterBrokerRecord, value, knowsCordoned ? 4 : knowsDirectories ? 3 : older);
}

function controllerRecord({ id, incarnationId, zkMigrationReady, endpoints, features }: ControllerImage) {
  const value = { controllerId: id, incarnationId, zkMigrationReady, endPoints: endpoints, features };
  return record(RegisterControllerRecord, value);
}

function partitionRecord(topicId: string, partitionId: number, p: PartitionImage, level: number): MetadataRecord {
  const knowsElr = level >= MetadataLevel.ELIGIBLE_LEADER_REPLICAS;
  const knowsDirectories = level >= MetadataLevel.DIRECTORY_ASSIGNMENT;
  const value = {
    partitionId,
    topicId,
    replicas: p.replicas,
    isr: p.isr,
    removingReplicas: p.removingReplicas,
    addingReplicas: p.addingReplicas,
    leader: p.leader,
    leaderRecoveryState: p.leaderRecoveryState,
    leaderEpoch: p.leaderEpoch,
    partitionEpoch: p.partitionEpoch,
    ...(knowsDirectories ? { directories: p.directories } : {}),
    ...(knowsElr ? { eligibleLeaderReplicas: unlessEmpty(p.elr), lastKnownElr: unlessEmpty(p.lastKnownElr) } : {}),
  };
  return record(PartitionRecord, value, knowsElr ? 2 : knowsDirectories ? 1 : 0);
}

/** `key` as in `resourceKey`. */
function* configRecords(key: string, values: ReadonlyMap<string, string>): Generator<MetadataRecord> {
  const slash = key.indexOf('/');
  const resource = { resourceType: Number(key.slice(0, slash)), resourceName: key.slice(slash + 1) };
  for (const [name, value] of values) yield record(ConfigRecord, { ...resource, name, value });
}

function* quotaRecords({ entity, values }: QuotaImage): Generator<MetadataRecord> {
  const parts = [...entity].map(([entityType, entityName]) => ({ entityType, entityName }));
  for (const [key, value] of values) yield record(ClientQuotaRecord, { entity: parts, key, value, remove: false });
}

/** First all credentials of one mechanism, then those of the next. */
function* scramRecords(image: MetadataImage): Generator<MetadataRecord> {
  const all = [...image.scramUsers()].flatMap(([name, credentials]) => credentials.map((c) => ({ name, ...c })));
  for (const credential of all.sort((a, b) => a.mechanism - b.mechanism)) {
    yield record(UserScramCredentialRecord, credential);
  }
}
