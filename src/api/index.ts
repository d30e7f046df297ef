/** Every API that this broker serves to clients: one line each. ApiVersions is derived from this list. */
import { produce } from './00-produce.ts';
import { fetch } from './01-fetch.ts';
import { listOffsets } from './02-list-offsets.ts';
import { metadata } from './03-metadata.ts';
import { apiVersions } from './18-api-versions.ts';
import { deleteRecords } from './21-delete-records.ts';
import { initProducerId } from './22-init-producer-id.ts';
import { offsetForLeaderEpoch } from './23-offset-for-leader-epoch.ts';
import { describeLogDirs } from './35-describe-log-dirs.ts';
import { describeProducers } from './61-describe-producers.ts';
import { describeTopicPartitions } from './75-describe-topic-partitions.ts';
import type { Handler } from './handler.ts';

export const handlers = [
  produce,
  fetch,
  listOffsets,
  metadata,
  apiVersions,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  describeLogDirs,
  describeProducers,
  describeTopicPartitions,
] as unknown as readonly Handler[];
