/** What the handlers are handed: the parts of the broker behind narrow types, put together by `node.ts`. */
import type { BrokerConfig } from '../config/broker-config.ts';
import type { GroupConfig } from '../config/group-config.ts';
import type { Controller } from '../controller/controller.ts';
import type { MetadataImage } from '../controller/image.ts';
import type { Clock, Logger, Random } from '../env.ts';
import type { GroupCoordinator } from '../group/group-coordinator.ts';
import type { Loggers } from '../loggers.ts';
import type { FetchSessions } from '../partition/fetch-session.ts';
import type { FetchWaits } from '../partition/fetch-wait.ts';
import type { Partitions } from '../partition/partitions.ts';
import type { ProducerIds } from '../partition/producer-ids.ts';
import type { ReplicaMoves } from '../partition/replica-moves.ts';
import type { ShareCoordinator } from '../share/coordinator/share-coordinator.ts';
import type { SharePartitions } from '../share/share-partitions.ts';
import type { ShareSessions } from '../share/share-sessions.ts';
import type { TransactionCoordinator } from '../transaction/coordinator/transaction-coordinator.ts';
import type { MarkerWriter } from '../transaction/partition/marker-writer.ts';
import type { TransactionVerification } from '../transaction/partition/verification.ts';

/** Where clients reach a broker on one listener. */
export interface Endpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** An API as ApiVersions tells of it. */
export interface ApiRange {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** The features of the cluster (KIP-584): what this node could do, and what is in force. */
export interface Features {
  readonly supported: readonly { readonly name: string; readonly minVersion: number; readonly maxVersion: number }[];
  readonly finalized: readonly { readonly name: string; readonly level: number }[];
  /** Offset of the last metadata record that this image holds. */
  readonly epoch: number;
}

export interface Broker {
  /** What is served, by key: derived from the handlers. */
  readonly apis: readonly ApiRange[];
  readonly nodeId: number;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly loggers: Loggers;
  /** The configuration in force, dynamic changes included; a new snapshot after each change. */
  config(): BrokerConfig;
  /** The configuration of a group in force: its own overrides over the broker's. */
  groupConfig(groupId: string): GroupConfig;
  /** The metadata in force: an immutable image of the metadata log. */
  image(): MetadataImage;
  features(): Features;
  /** The brokers as seen through one listener. */
  endpoints(listenerName: string): readonly Endpoint[];
  readonly controller: Controller;
  readonly partitions: Partitions;
  readonly producerIds: ProducerIds;
  readonly fetchSessions: FetchSessions;
  readonly fetchWaits: FetchWaits;
  readonly replicaMoves: ReplicaMoves;
  readonly groups: GroupCoordinator;
  readonly transactions: TransactionCoordinator;
  readonly transactionVerification: TransactionVerification;
  /** Writes markers into this node's partitions. */
  readonly markers: MarkerWriter;
  readonly shareCoordinator: ShareCoordinator;
  readonly sharePartitions: SharePartitions;
  readonly shareSessions: ShareSessions;
}
