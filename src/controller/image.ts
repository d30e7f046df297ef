/**
 * The metadata of the cluster at one offset of the metadata log: immutable. Each commit makes the next image from the one before
 * (replay.ts); whoever holds one sees a consistent state for as long as it likes.
 */
import type { AccessControlEntryRecord, DelegationTokenRecord } from '../../protocol/metadata/index.ts';
import type { MessageOf } from '../../protocol/schema.ts';

export interface PartitionImage {
  /** -1: none. */
  readonly leader: number;
  /** 0: recovered, 1: the leader was not in sync and has to recover (KIP-704). */
  readonly leaderRecoveryState: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  /** Eligible leader replicas (KIP-966). */
  readonly elr: readonly number[];
  readonly lastKnownElr: readonly number[];
  /** Directory ids, one a replica (KIP-858). */
  readonly directories: readonly string[];
}

export interface TopicImage {
  readonly name: string;
  readonly id: string;
  /** By partition index; indexes are dense. */
  readonly partitions: readonly PartitionImage[];
}

export interface EndpointImage {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly securityProtocol: number;
}

/** The levels of a feature that a node supports. */
export interface FeatureRangeImage {
  readonly name: string;
  readonly minSupportedVersion: number;
  readonly maxSupportedVersion: number;
}

export interface BrokerImage {
  readonly id: number;
  readonly epoch: number;
  readonly incarnationId: string;
  readonly endpoints: readonly EndpointImage[];
  readonly features: readonly FeatureRangeImage[];
  readonly rack: string | null;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly directories: readonly string[];
  /** Those that get no new partitions (KIP-1066). */
  readonly cordonedDirectories: readonly string[];
}

/** A controller that has registered (KIP-919). */
export interface ControllerImage {
  readonly id: number;
  readonly incarnationId: string;
  readonly zkMigrationReady: boolean;
  readonly endpoints: readonly EndpointImage[];
  readonly features: readonly FeatureRangeImage[];
}

/** Resource types of configurations on the wire and in records (ConfigResource.Type). */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const;

export interface ConfigResource {
  readonly type: number;
  readonly name: string;
}

export const resourceKey = (type: number, name: string): string => `${type}/${name}`;

export interface ScramCredential {
  /** 1: SCRAM-SHA-256, 2: SCRAM-SHA-512. */
  readonly mechanism: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
  readonly iterations: number;
}

/** Who a quota is for: entity type ('user', 'client-id', 'ip') to name; null is the default of that type (KIP-546). */
export type QuotaEntity = ReadonlyMap<string, string | null>;

export interface QuotaImage {
  readonly entity: QuotaEntity;
  /** Quota name to limit. */
  readonly values: ReadonlyMap<string, number>;
}

/** How much of the log an image stands for. */
export interface Provenance {
  /** Offset of the last record in it; -1 in an empty one. */
  readonly offset: number;
  /** Leader epoch of that record. */
  readonly leaderEpoch: number;
  /** When that record was appended. */
  readonly timestampMs: number;
}

export interface ImageFields extends Provenance {
  readonly topicsByName: ReadonlyMap<string, TopicImage>;
  readonly topicsById: ReadonlyMap<string, TopicImage>;
  readonly brokers: ReadonlyMap<number, BrokerImage>;
  readonly controllers: ReadonlyMap<number, ControllerImage>;
  /** Feature name to finalized level; a feature at level 0 is absent. */
  readonly features: ReadonlyMap<string, number>;
  /** By `resourceKey`. */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly nextProducerId: number;
  /** By a canonical text of the entity. */
  readonly quotas: ReadonlyMap<string, QuotaImage>;
  /** By user name; the credentials of a user by mechanism. */
  readonly scram: ReadonlyMap<string, readonly ScramCredential[]>;
  /** By id. Nothing here asks for them yet; they are kept for the snapshots. */
  readonly acls: ReadonlyMap<string, MessageOf<typeof AccessControlEntryRecord>>;
  /** By token id; kept as the ACLs are. */
  readonly delegationTokens: ReadonlyMap<string, MessageOf<typeof DelegationTokenRecord>>;
}

const NONE: ReadonlyMap<string, string> = new Map();

export class MetadataImage {
  readonly fields: ImageFields;

  constructor(fields: ImageFields) {
    this.fields = fields;
  }

  static readonly EMPTY = new MetadataImage({
    topicsByName: new Map(),
    topicsById: new Map(),
    brokers: new Map(),
    controllers: new Map(),
    features: new Map(),
    configs: new Map(),
    nextProducerId: 0,
    quotas: new Map(),
    scram: new Map(),
    acls: new Map(),
    delegationTokens: new Map(),
    offset: -1,
    leaderEpoch: -1,
    timestampMs: -1,
  });

  get offset(): number {
    return this.fields.offset;
  }
  get leaderEpoch(): number {
    return this.fields.leaderEpoch;
  }
  topic(name: string): TopicImage | undefined {
    return this.fields.topicsByName.get(name);
  }
  topicById(id: string): TopicImage | undefined {
    return this.fields.topicsById.get(id);
  }
  topics(): Iterable<TopicImage> {
    return this.fields.topicsByName.values();
  }
  get topicCount(): number {
    return this.fields.topicsByName.size;
  }
  brokers(): Iterable<BrokerImage> {
    return this.fields.brokers.values();
  }
  broker(id: number): BrokerImage | undefined {
    return this.fields.brokers.get(id);
  }
  get features(): ReadonlyMap<string, number> {
    return this.fields.features;
  }
  /** What a resource overrides; empty where it overrides nothing. */
  configs(type: number, name: string): ReadonlyMap<string, string> {
    return this.fields.configs.get(resourceKey(type, name)) ?? NONE;
  }
  /** The names of all resources of a type that override something. */
  configuredResources(type: number): string[] {
    const prefix = `${type}/`;
    return [...this.fields.configs.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
  }
  quotas(): Iterable<QuotaImage> {
    return this.fields.quotas.values();
  }
  scramUsers(): ReadonlyMap<string, readonly ScramCredential[]> {
    return this.fields.scram;
  }
}

/** What changed between two images, for those who follow: by name and id, to be looked up in the new image. */
export interface MetadataDelta {
  readonly createdTopics: ReadonlySet<string>;
  /** Topic ids with new or changed partitions, the created ones included. */
  readonly changedTopicIds: ReadonlySet<string>;
  readonly deletedTopics: readonly TopicImage[];
  readonly changedConfigs: readonly ConfigResource[];
  readonly featuresChanged: boolean;
  readonly brokersChanged: boolean;
  readonly quotasChanged: boolean;
  readonly scramChanged: boolean;
}

/** The canonical text of a quota's entity. */
export function quotaKey(entity: QuotaEntity): string {
  return JSON.stringify([...entity].sort(([a], [b]) => (a < b ? -1 : 1)));
}
