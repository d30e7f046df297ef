/**
 * meta.properties: who a data directory belongs to. Written as Kafka writes it (version 1, KIP-631, KIP-858), so that
 * either of the two opens the other's directories.
 */

import { formatProperties, parseProperties } from './properties.ts';
import { InvalidConfigError } from './value.ts';

/** The part of storage's Disk that this needs. */
export interface MetaPropertiesDisk {
  readFile(path: string): Buffer | null;
  writeFile(path: string, data: string, options?: { durable?: boolean }): void;
}

/** Ids as Kafka prints them: 22 characters of base64url. */
export interface MetaProperties {
  readonly clusterId: string;
  readonly nodeId: number;
  /** Kafka before 3.7 wrote none. */
  readonly directoryId: string | null;
}

export interface ExpectedIds {
  readonly nodeId: number;
  /** null where any cluster will do. */
  readonly clusterId: string | null;
}

const FILE_NAME = 'meta.properties';
const UUID = /^[A-Za-z0-9_-]{22}$/;
/** DirectoryId.reserved of Kafka: its first hundred UUIDs have meanings of their own, such as "lost". */
const RESERVED_DIRECTORY_ID = /^A{20}/;

function metaPath(directory: string): string {
  return directory.endsWith('/') ? `${directory}${FILE_NAME}` : `${directory}/${FILE_NAME}`;
}

function readNodeId(text: string | undefined, path: string): number {
  if (text === undefined) throw new InvalidConfigError(`node.id was not specified in ${path}`);
  if (!/^\d+$/.test(text)) throw new InvalidConfigError(`${path} has a node.id that is no number: ${text}`);
  return Number(text);
}

function readDirectoryId(text: string | undefined, path: string): string | null {
  if (text === undefined) return null;
  if (!UUID.test(text)) throw new InvalidConfigError(`${path} has a directory.id that is no UUID: ${text}`);
  if (RESERVED_DIRECTORY_ID.test(text)) throw new InvalidConfigError(`${path} has a reserved directory.id: ${text}`);
  return text;
}

/** What a directory says about itself; null for one that has not been used. Throws InvalidConfigError. */
export function readMetaProperties(disk: MetaPropertiesDisk, directory: string): MetaProperties | null {
  const path = metaPath(directory);
  const bytes = disk.readFile(path);
  if (bytes === null) return null;
  const properties = new Map(parseProperties(bytes.toString('utf8'), path).map(({ name, value }) => [name, value]));
  const version = properties.get('version');
  if (version !== '1') {
    throw new InvalidConfigError(
      `${path} is of version ${version ?? 0}; only version 1 is understood (Kafka with ZooKeeper wrote version 0).`,
    );
  }
  const clusterId = properties.get('cluster.id');
  if (clusterId === undefined) throw new InvalidConfigError(`cluster.id was not specified in the v1 file: ${path}`);
  return {
    clusterId,
    nodeId: readNodeId(properties.get('node.id'), path),
    directoryId: readDirectoryId(properties.get('directory.id'), path),
  };
}

/** Makes a directory this node's. */
export function writeMetaProperties(disk: MetaPropertiesDisk, directory: string, meta: MetaProperties): void {
  const { clusterId, nodeId, directoryId } = meta;
  const properties: [string, string][] = [
    ['node.id', String(nodeId)],
    ['version', '1'],
    ['cluster.id', clusterId],
  ];
  if (directoryId !== null) properties.splice(1, 0, ['directory.id', directoryId]);
  disk.writeFile(metaPath(directory), formatProperties(properties), { durable: true });
}

/**
 * Reads all of a node's directories, in their order, and checks that they belong to it and to one cluster. A directory
 * that has not been used is null. Throws InvalidConfigError.
 */
export function readDirectories(
  disk: MetaPropertiesDisk,
  directories: readonly string[],
  expected: ExpectedIds,
): (MetaProperties | null)[] {
  let clusterId = expected.clusterId;
  const seen = new Map<string, string>();
  return directories.map((directory) => {
    const meta = readMetaProperties(disk, directory);
    if (meta === null) return null;
    const path = metaPath(directory);
    clusterId ??= meta.clusterId;
    if (meta.clusterId !== clusterId) {
      throw new InvalidConfigError(`Invalid cluster.id in: ${path}. Expected ${clusterId}, but read ${meta.clusterId}`);
    }
    if (meta.nodeId !== expected.nodeId) {
      throw new InvalidConfigError(
        `${path} belongs to node ${meta.nodeId}, but node.id is ${expected.nodeId}. Use the node.id of the data, or an empty directory for a new node.`,
      );
    }
    const twin = meta.directoryId === null ? undefined : seen.get(meta.directoryId);
    if (twin !== undefined) {
      throw new InvalidConfigError(
        `${directory} and ${twin} have the same directory.id ${meta.directoryId}: one is a copy.`,
      );
    }
    if (meta.directoryId !== null) seen.set(meta.directoryId, directory);
    return meta;
  });
}
