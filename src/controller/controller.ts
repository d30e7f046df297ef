/**
 * The controller: plan -> append to the metadata log -> commit -> replay into a new image -> publish -> respond. The plans
 * are pure and stand one concept a file beside this one.
 */

import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import type { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts';
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../protocol/messages/37-create-partitions.ts';
import type { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/45-alter-partition-reassignments.ts';
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from '../../protocol/messages/49-alter-client-quotas.ts';
import type {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../../protocol/messages/51-alter-user-scram-credentials.ts';
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/57-update-features.ts';
import type {
  UnregisterBrokerRequest,
  UnregisterBrokerResponse,
} from '../../protocol/messages/64-unregister-broker.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { Disk } from '../../storage/disk.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Clock, Logger, Random } from '../env.ts';
import type { Voter } from '../raft/quorum.ts';
import type { EndpointImage, MetadataDelta, MetadataImage } from './image.ts';

export interface ControllerOptions {
  readonly disk: Disk;
  /** The folder that holds `__cluster_metadata-0`: metadata.log.dir or the first of log.dirs. */
  readonly dir: string;
  readonly nodeId: number;
  /** directory.id of `dir`, from its meta.properties. */
  readonly directoryId: string;
  config(): BrokerConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What a broker says of itself when it starts. */
export interface BrokerRegistration {
  /** The advertised listeners, with the ports that were bound. */
  readonly endpoints: readonly EndpointImage[];
  readonly rack: string | null;
  /** directory.id of each log dir, in the order of log.dirs. */
  readonly directories: readonly string[];
}

/** Called with each new image, one at a time and in order; awaited before the response of the change leaves. */
export type ImageListener = (image: MetadataImage, delta: MetadataDelta) => void | Promise<void>;

export interface ProducerIdBlock {
  readonly firstProducerId: number;
  readonly size: number;
}

/** The metadata quorum as DescribeQuorum tells of it. */
export interface QuorumDescription {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  readonly kraftVersion: number;
  readonly voters: readonly Voter[];
}

export interface Controller {
  quorum(): QuorumDescription;
  /** The newest image that all listeners have seen. */
  readonly image: MetadataImage;
  /** The listener is called from the next change on; returns the function that ends it. */
  subscribe(listener: ImageListener): () => void;

  /**
   * Registers this node's controller and its broker (fenced), and then unfences the broker: its partitions get leaders. Call when the
   * sockets are bound.
   */
  registerBroker(registration: BrokerRegistration): Promise<void>;
  /** The broker's clean goodbye, a controlled shutdown: its partitions lose their leader. Before `close`. */
  fenceBroker(): Promise<void>;

  createTopics(request: MessageOf<typeof CreateTopicsRequest>): Promise<InputOf<typeof CreateTopicsResponse>>;
  deleteTopics(request: MessageOf<typeof DeleteTopicsRequest>): Promise<InputOf<typeof DeleteTopicsResponse>>;
  createPartitions(
    request: MessageOf<typeof CreatePartitionsRequest>,
  ): Promise<InputOf<typeof CreatePartitionsResponse>>;
  /**
   * Creates the topics that do not exist, with the broker's defaults; internal ones with theirs (offsets.topic.* and so
   * on, the replication factor clamped to the live brokers). Returns Kafka's error code for each name: NONE where the topic
   * exists and serves when the promise is done.
   */
  ensureTopics(names: readonly string[]): Promise<ReadonlyMap<string, number>>;

  /** A fresh block of 1,000 producer ids, never handed out before (KIP-360, KIP-730). */
  allocateProducerIds(): Promise<ProducerIdBlock>;

  alterConfigs(request: MessageOf<typeof AlterConfigsRequest>): Promise<InputOf<typeof AlterConfigsResponse>>;
  incrementalAlterConfigs(
    request: MessageOf<typeof IncrementalAlterConfigsRequest>,
  ): Promise<InputOf<typeof IncrementalAlterConfigsResponse>>;
  updateFeatures(request: MessageOf<typeof UpdateFeaturesRequest>): Promise<InputOf<typeof UpdateFeaturesResponse>>;
  alterClientQuotas(
    request: MessageOf<typeof AlterClientQuotasRequest>,
  ): Promise<InputOf<typeof AlterClientQuotasResponse>>;
  alterUserScramCredentials(
    request: MessageOf<typeof AlterUserScramCredentialsRequest>,
  ): Promise<InputOf<typeof AlterUserScramCredentialsResponse>>;
  electLeaders(request: MessageOf<typeof ElectLeadersRequest>): Promise<InputOf<typeof ElectLeadersResponse>>;
  alterPartitionReassignments(
    request: MessageOf<typeof AlterPartitionReassignmentsRequest>,
  ): Promise<InputOf<typeof AlterPartitionReassignmentsResponse>>;

  /** Throws KafkaError BROKER_ID_NOT_REGISTERED. */
  unregisterBroker(
    request: MessageOf<typeof UnregisterBrokerRequest>,
  ): Promise<InputOf<typeof UnregisterBrokerResponse>>;

  /** Snapshots of the metadata that time asks for, and the end of old ones; to be called once in a while. */
  maintain(): Promise<void>;

  close(): Promise<void>;
}
