import { type Disk, parsePartitionDirName } from '../../storage/index.ts';
import { readDirectories, writeMetaProperties } from '../config/meta-properties.ts';
import { InvalidConfigError } from '../config/value.ts';
import type { Random } from '../env.ts';

/** Which cluster the node's directories belong to, and the id of each (directory.id, KIP-858) by its path. */
export interface Identity {
  readonly clusterId: string;
  readonly directoryIds: ReadonlyMap<string, string>;
}

/**
 * Checks whose the directories are; those not used before become this node's. Throws InvalidConfigError where one belongs to
 * another node or cluster, or where none of them says to whom it belongs and one has been used.
 */
export function identify(
  disk: Disk,
  paths: readonly string[],
  nodeId: number,
  clusterId: string | null,
  random: Random,
): Identity {
  const found = readDirectories(disk, paths, { nodeId, clusterId });
  if (found.every((meta) => meta === null)) refuseUsed(disk, paths);
  const cluster = found.find((meta) => meta !== null)?.clusterId ?? clusterId ?? random.uuid();
  const directoryIds = new Map<string, string>();
  for (const [i, path] of paths.entries()) {
    const known = found[i]?.directoryId ?? null;
    const directoryId = known ?? random.uuid();
    if (known === null) writeMetaProperties(disk, path, { clusterId: cluster, nodeId, directoryId });
    directoryIds.set(path, directoryId);
  }
  return { clusterId: cluster, directoryIds };
}

/** Under another cluster.id and directory.id the replicas would be nobody's. Kafka refuses as well: it formats nothing by itself. */
function refuseUsed(disk: Disk, paths: readonly string[]): void {
  for (const path of paths) {
    const replica = disk.list(path).find((name) => !name.startsWith('.') && parsePartitionDirName(name) !== null);
    if (replica === undefined) continue;
    throw new InvalidConfigError(
      `No readable meta.properties files found, but ${path} has been used: it holds ${replica}. Put its meta.properties back, or use an empty directory for a new node.`,
    );
  }
}
