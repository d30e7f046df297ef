import type { Disk } from '../../storage/index.ts';
import { readDirectories, writeMetaProperties } from '../config/meta-properties.ts';
import type { Random } from '../env.ts';

/** Which cluster the node's directories belong to, and the id of each (directory.id, KIP-858) by its path. */
export interface Identity {
  readonly clusterId: string;
  readonly directoryIds: ReadonlyMap<string, string>;
}

/**
 * Checks whose the directories are; those not used before become this node's. Throws InvalidConfigError where one belongs to
 * another node or cluster.
 */
export function identify(
  disk: Disk,
  paths: readonly string[],
  nodeId: number,
  clusterId: string | null,
  random: Random,
): Identity {
  const found = readDirectories(disk, paths, { nodeId, clusterId });
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
