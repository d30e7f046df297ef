import type { BrokerConfig } from '../config/broker-config.ts';
import type { Logger } from '../env.ts';

export interface NodeOptions {
  readonly config: BrokerConfig;
  readonly logger: Logger;
  readonly inMemory: boolean;
  /** The cluster that an unused data directory shall belong to; null makes up a new one. */
  readonly clusterId: string | null;
}

/** A topic to be created by whoever embeds the broker. */
export interface NewTopic {
  readonly name: string;
  readonly partitions?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

export interface RunningNode {
  /** Where clients reach it: the advertised addresses, with the ports that were bound. */
  readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  /** Creates topics that do not exist; returns one line for each that could not be created. */
  createTopics(topics: readonly NewTopic[]): Promise<string[]>;
  stop(): Promise<void>;
  /** Resolves when the node cannot go on: its last log directory has failed. */
  readonly failed: Promise<Error>;
}
