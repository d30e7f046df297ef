/** Log directories of brokers: which replica lies where, and what happens when one fails (KIP-858). */
import { BrokerRegistrationChangeRecord, PartitionChangeRecord } from '../../protocol/metadata/index.ts';
import type { BrokerImage, MetadataImage, PartitionImage } from './image.ts';
import type { PlanContext } from './plan.ts';
import { type MetadataRecord, record } from './records.ts';

/** A replica of this node lies in a directory that the metadata does not know it in. */
export interface DirectoryAssignment {
  readonly topicId: string;
  readonly partitionId: number;
  readonly directoryId: string;
}

const NO_LEADER = -1;
/** Kafka's first hundred ids mean no directory in particular: unassigned, lost, migrating. */
const RESERVED_DIRECTORY = /^A{20}/;

/** Whether the broker's replica can be used: its directory is online, or not said. */
export function isInOnlineDirectory(broker: BrokerImage, partition: PartitionImage): boolean {
  const directory = partition.directories[partition.replicas.indexOf(broker.id)];
  if (directory === undefined || RESERVED_DIRECTORY.test(directory)) return true;
  // a broker that tells of no directories is one from before KIP-858
  return broker.directories.length === 0 || broker.directories.includes(directory);
}

export function planAssignDirectories(
  { image, nodeId }: PlanContext,
  assignments: readonly DirectoryAssignment[],
): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const { topicId, partitionId, directoryId } of assignments) {
    const partition = image.topicById(topicId)?.partitions[partitionId];
    const at = partition?.replicas.indexOf(nodeId) ?? -1;
    // the topic may be gone, or the replica, since the broker looked
    if (partition === undefined || at < 0 || partition.directories[at] === directoryId) continue;
    const directories = [...partition.directories];
    directories[at] = directoryId;
    records.push(record(PartitionChangeRecord, { topicId, partitionId, directories }));
  }
  return records;
}

/** The broker goes on without these directories: their partitions have no leader until they come back. */
export function planDirectoriesOffline({ image, nodeId }: PlanContext, offline: readonly string[]): MetadataRecord[] {
  const broker = image.broker(nodeId);
  const failed = offline.filter((id) => broker?.directories.includes(id));
  if (broker === undefined || failed.length === 0) return [];
  const logDirs = broker.directories.filter((id) => !failed.includes(id));
  return [
    ...withoutLeader(image, { ...broker, directories: logDirs }),
    record(BrokerRegistrationChangeRecord, { brokerId: nodeId, brokerEpoch: broker.epoch, logDirs }),
  ];
}

function withoutLeader(image: MetadataImage, broker: BrokerImage): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const { id: topicId, partitions } of image.topics()) {
    for (const [partitionId, partition] of partitions.entries()) {
      if (partition.leader !== broker.id || isInOnlineDirectory(broker, partition)) continue;
      records.push(record(PartitionChangeRecord, { topicId, partitionId, leader: NO_LEADER }));
    }
  }
  return records;
}
