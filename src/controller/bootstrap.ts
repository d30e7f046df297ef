/**
 * A new cluster: what `kafka-storage format` leaves behind (bootstrap.checkpoint), and what a controller writes into the log when it begins
 * to lead (Kafka's ActivationRecordsGenerator).
 */
import { MalformedError } from '../../protocol/malformed.ts';
import {
  AbortTransactionRecord,
  BeginTransactionRecord,
  ConfigRecord,
  EndTransactionRecord,
  FeatureLevelRecord,
} from '../../protocol/metadata/index.ts';
import type { Disk } from '../../storage/index.ts';
import { decodeSnapshot, encodeSnapshot } from '../raft/snapshot-file.ts';
import { UnreadableMetadata } from '../raft/unreadable-metadata.ts';
import { ELR_VERSION, METADATA_VERSION, MetadataLevel, SUPPORTED_FEATURES } from './features.ts';
import { MetadataImage, ResourceType } from './image.ts';
import type { LoadedImage } from './loader.ts';
import { decodeRecord, encodeRecord, type MetadataRecord, record } from './records.ts';
import { Replay } from './replay.ts';

const FILE = 'bootstrap.checkpoint';
const MIN_ISR = 'min.insync.replicas';

/** What a new cluster of this release begins with. */
export const newestFeatureLevels = (): MetadataRecord[] =>
  SUPPORTED_FEATURES.filter((f) => f.initialLevel > 0).map(({ name, initialLevel }) =>
    record(FeatureLevelRecord, { name, featureLevel: initialLevel }),
  );

/** Whether there is a bootstrap.checkpoint in `dir`. */
export const isFormatted = (disk: Disk, dir: string): boolean => disk.exists(`${dir}/${FILE}`);

/**
 * The records that the cluster is to begin with: those in bootstrap.checkpoint, which is written with the newest feature levels where there
 * is none. Throws UnreadableMetadata.
 */
export function formatted(disk: Disk, dir: string, nowMs: number): MetadataRecord[] {
  const path = `${dir}/${FILE}`;
  const bytes = disk.readFile(path);
  if (bytes !== null) return read(bytes, path);
  const records = newestFeatureLevels();
  const snapshot = { lastContainedLogTimestampMs: 0, leaderEpoch: 0, nowMs, quorum: null };
  const batches = [...encodeSnapshot(records.map(encodeRecord), snapshot)].filter((batch) => batch !== null);
  disk.writeFile(path, Buffer.concat(batches), { durable: false });
  return records;
}

function read(bytes: Buffer, path: string): MetadataRecord[] {
  try {
    return decodeSnapshot(bytes).values.map(decodeRecord);
  } catch (error) {
    if (error instanceof MalformedError) throw new UnreadableMetadata(`${path} is damaged: ${error.message}.`);
    throw error;
  }
}

/**
 * What a controller that begins to lead has to append: the abort of a transaction that its predecessor left open, and into an empty log what
 * the cluster begins with, in a transaction of records (KIP-868).
 */
export function activationRecords(
  { image, isInTransaction }: LoadedImage,
  begin: () => readonly MetadataRecord[],
  minInsyncReplicas: number,
): MetadataRecord[] {
  const abort = isInTransaction ? [record(AbortTransactionRecord, { reason: 'Controller failover' })] : [];
  return image.features.size > 0 ? abort : [...abort, ...firstRecords(begin(), minInsyncReplicas)];
}

/** `begin` as one transaction, where the cluster's metadata.version knows transactions. */
export function firstRecords(begin: readonly MetadataRecord[], minInsyncReplicas: number): MetadataRecord[] {
  const replay = new Replay(MetadataImage.EMPTY);
  for (const r of begin) replay.apply(r);
  const { image } = replay.finish(MetadataImage.EMPTY.fields);
  const records = [...begin, ...minIsrRecord(image, minInsyncReplicas)];
  const level = image.features.get(METADATA_VERSION) ?? 0;
  if (level < MetadataLevel.METADATA_TRANSACTIONS) return records;
  return [record(BeginTransactionRecord, { name: 'Bootstrap records' }), ...records, record(EndTransactionRecord, {})];
}

/** With eligible leader replicas the controller has to know the limit, as a configuration of the cluster (KIP-966). */
function minIsrRecord(image: MetadataImage, minInsyncReplicas: number): MetadataRecord[] {
  const resource = { resourceType: ResourceType.BROKER, resourceName: '' };
  if (!image.features.has(ELR_VERSION) || image.configs(ResourceType.BROKER, '').has(MIN_ISR)) return [];
  return [record(ConfigRecord, { ...resource, name: MIN_ISR, value: String(minInsyncReplicas) })];
}
