import { ErrorCode } from '../../protocol/errors.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { groupConfig } from '../config/group-config.ts';
import type { Controller } from '../controller/controller.ts';
import type { MetadataImage, TopicImage } from '../controller/image.ts';
import type { Eventually } from '../coordinator/eventually.ts';
import { SHARE_STATE_TOPIC } from '../coordinator/topics.ts';
import type { Clock, Logger } from '../env.ts';
import type { EndOffset } from '../group/share/share-ports.ts';
import type { Partitions } from '../partition/partitions.ts';
import { LocalPersister } from '../share/coordinator/local-persister.ts';
import { ShareCoordinator } from '../share/coordinator/share-coordinator.ts';
import type { SharePersister } from '../share/persister.ts';
import { SharePartitions } from '../share/share-partitions.ts';
import { ShareSessions } from '../share/share-sessions.ts';
import type { Coordinator } from './coordinator-elections.ts';
import { InternalTopicLog } from './internal-log.ts';

export interface ShareGroupsOptions {
  readonly controller: Controller & { readonly image: MetadataImage };
  readonly partitions: Partitions;
  readonly clock: Clock;
  readonly logger: Logger;
  config(): BrokerConfig;
}

/** The parts that serve share groups: the coordinator of their state, and what members fetch by way of sessions. */
export class ShareGroups implements Coordinator {
  readonly coordinator: ShareCoordinator;
  readonly persister: SharePersister;
  readonly sessions: ShareSessions;
  readonly partitions: SharePartitions;

  constructor(options: ShareGroupsOptions) {
    const { controller, clock, logger, config } = options;
    this.coordinator = createCoordinator(options);
    this.persister = new LocalPersister({
      coordinator: this.coordinator,
      ensureStateTopic: () => controller.image.topic(SHARE_STATE_TOPIC) ?? controller.ensureTopics([SHARE_STATE_TOPIC]),
    });
    this.sessions = new ShareSessions(() => config().get('group.share.max.share.sessions'));
    this.partitions = new SharePartitions({
      persister: this.persister,
      sessions: this.sessions,
      clock,
      logger,
      groupConfig: (groupId) => groupConfig(controller.image, config(), groupId),
    });
  }

  onElected(partition: number, epoch: number): Eventually<void> {
    return this.coordinator.onElected(partition, epoch);
  }

  onResigned(partition: number, epoch?: number): void {
    this.coordinator.onResigned(partition, epoch);
  }

  onTopicsDeleted(topics: readonly TopicImage[]): Eventually<unknown> {
    this.partitions.onTopicsDeleted(topics);
    return this.coordinator.onTopicsDeleted(topics);
  }

  close(): void {
    this.partitions.close();
    this.coordinator.close();
  }
}

function createCoordinator({ controller, partitions, clock, logger, config }: ShareGroupsOptions): ShareCoordinator {
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
