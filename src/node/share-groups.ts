import { ErrorCode } from '../../protocol/errors.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Controller } from '../controller/controller.ts';
import type { MetadataImage } from '../controller/image.ts';
import type { Clock, Logger } from '../env.ts';
import type { EndOffset } from '../group/share/share-ports.ts';
import type { Partitions } from '../partition/partitions.ts';
import { ShareCoordinator } from '../share/coordinator/share-coordinator.ts';
import { SHARE_STATE_TOPIC } from './coordinator-topics.ts';
import { InternalTopicLog } from './internal-log.ts';

export interface ShareGroupsOptions {
  readonly controller: Controller & { readonly image: MetadataImage };
  readonly partitions: Partitions;
  readonly clock: Clock;
  readonly logger: Logger;
  config(): BrokerConfig;
}

export function createShareCoordinator(options: ShareGroupsOptions): ShareCoordinator {
  const { controller, partitions, clock, logger, config } = options;
  return new ShareCoordinator({
    log: new InternalTopicLog(SHARE_STATE_TOPIC, partitions),
    clock,
    logger,
    config,
    partitionCount: () =>
      controller.image.topic(SHARE_STATE_TOPIC)?.partitions.length ??
      config().get('share.coordinator.state.topic.num.partitions'),
    partitionCountOf: (topicId) => controller.image.topicById(topicId)?.partitions.length ?? null,
    prune: (partition, belowOffset) => partitions.get(SHARE_STATE_TOPIC, partition)?.deleteRecordsBefore(belowOffset),
  });
}

/** Where consumers find the end of a partition that this node leads: what the lag of a share group is measured against. */
export function endOffsetOf(partitions: Partitions): (topicId: string, partition: number) => EndOffset {
  return (topicId, index) => {
    const partition = partitions.getById(topicId, index);
    if (partition === undefined) return { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, offset: -1 };
    return { errorCode: ErrorCode.NONE, offset: partition.highWatermark };
  };
}
