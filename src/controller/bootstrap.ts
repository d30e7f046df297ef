/**
 * A new cluster: what `kafka-storage format` leaves behind (bootstrap.checkpoint) and what the first controller writes into the log.
 */
import {
  BeginTransactionRecord,
  ConfigRecord,
  EndTransactionRecord,
  FeatureLevelRecord,
} from '../../protocol/metadata/index.ts';
import { controlBatch, snapshotFooterRecord, snapshotHeaderRecord } from '../../protocol/records/control.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { Disk } from '../../storage/index.ts';
import { SUPPORTED_FEATURES } from './features.ts';
import { ResourceType } from './image.ts';
import { encodeRecord, type MetadataRecord, record } from './records.ts';

const FILE = 'bootstrap.checkpoint';

const featureLevels = (): MetadataRecord[] =>
  SUPPORTED_FEATURES.filter((f) => f.initialLevel > 0).map(({ name, initialLevel }) =>
    record(FeatureLevelRecord, { name, featureLevel: initialLevel }),
  );

/** The first records of a cluster, in one transaction of records (KIP-868), as Kafka's controller writes them. */
export function bootstrapRecords(): MetadataRecord[] {
  return [
    record(BeginTransactionRecord, { name: 'Bootstrap records' }),
    ...featureLevels(),
    // with eligible leader replicas the limit has to be known to the controller (KIP-966)
    record(ConfigRecord, {
      resourceType: ResourceType.BROKER,
      resourceName: '',
      name: 'min.insync.replicas',
      value: '1',
    }),
    record(EndTransactionRecord, {}),
  ];
}

/** Writes bootstrap.checkpoint where there is none: a snapshot with the feature levels the cluster starts with. */
export function writeBootstrapCheckpoint(disk: Disk, dir: string, nowMs: number): void {
  const path = `${dir}/${FILE}`;
  if (disk.exists(path)) return;
  const at = (baseOffset: number) => ({ baseOffset, leaderEpoch: 0, timestampMs: nowMs });
  const levels = featureLevels().map((r) => ({ value: encodeRecord(r), timestamp: nowMs }));
  const batches = [
    controlBatch([snapshotHeaderRecord({ version: 0, lastContainedLogTimestamp: 0 })], at(0)),
    encodeBatch(levels, { baseOffset: 1, leaderEpoch: 0 }),
    controlBatch([snapshotFooterRecord({ version: 0 })], at(1 + levels.length)),
  ];
  disk.writeFile(path, Buffer.concat(batches), { durable: false });
}
