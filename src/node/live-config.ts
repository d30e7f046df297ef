import { usableBrokerProperties } from '../config/alter.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { type MetadataImage, ResourceType } from '../controller/image.ts';
import type { Logger } from '../env.ts';

/** The broker's configuration in force: what it was started with, and the dynamic changes in the metadata (KIP-226). */
export class LiveConfig {
  private readonly started: BrokerConfig;
  private readonly logger: Logger;
  private snapshot: BrokerConfig;

  constructor(started: BrokerConfig, logger: Logger) {
    this.started = started;
    this.logger = logger;
    this.snapshot = started;
  }

  current(): BrokerConfig {
    return this.snapshot;
  }

  /** Takes over the dynamic configurations of an image; those it cannot use are told and left out. */
  follow(image: MetadataImage): void {
    const ignored = (name: string, reason: string) =>
      this.logger.warn({ name, reason }, 'dynamic configuration ignored');
    const nodeId = String(this.started.get('node.id'));
    this.snapshot = this.started.withDynamic({
      clusterWide: usableBrokerProperties('clusterWide', image.configs(ResourceType.BROKER, ''), ignored),
      perBroker: usableBrokerProperties('perBroker', image.configs(ResourceType.BROKER, nodeId), ignored),
    });
  }
}
