/** What the handlers are handed: the parts of the broker behind narrow types, put together by `node.ts`. */
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Controller } from '../controller/controller.ts';
import type { MetadataImage } from '../controller/image.ts';
import type { Clock, Logger, Random } from '../env.ts';
import type { GroupCoordinator } from '../group/group-coordinator.ts';
import type { Partitions } from '../partition/partitions.ts';

export interface Broker {
  readonly nodeId: number;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The configuration in force, dynamic changes included; a new snapshot after each change. */
  config(): BrokerConfig;
  /** The metadata in force: an immutable image of the metadata log. */
  image(): MetadataImage;
  readonly controller: Controller;
  readonly partitions: Partitions;
  readonly groups: GroupCoordinator;
}
