/**
 * The metadata log `__cluster_metadata-0` of a quorum with one voter (KIP-595): this node leads from the start, in an epoch of its own;
 * a record is committed when the log is on disk. Appends that come while a flush is under way share the next one.
 */
import * as batch from '../../protocol/records/batch.ts';
import { controlBatch, leaderChangeRecord, readControlRecord } from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { METADATA_TOPIC_ID } from '../../protocol/uuid.ts';
import { DEFAULT_LOG_CONFIG, type Disk, Log, type StorageLogger } from '../../storage/index.ts';
import type { Clock } from '../env.ts';
import { readQuorumState, writeQuorumState } from './quorum-state.ts';
import { UnreadableMetadata } from './unreadable-metadata.ts';

export const METADATA_TOPIC = '__cluster_metadata';
/** Records that Kafka's controller puts into one batch at the most. */
const MAX_BATCH_RECORDS = 10_000;
const READ_BYTES = 4 * 1024 * 1024;

export interface MetadataLogOptions {
  readonly disk: Disk;
  /** The folder that holds `__cluster_metadata-0`. */
  readonly dir: string;
  readonly nodeId: number;
  readonly clock: Clock;
  readonly logger: StorageLogger;
  readonly segmentBytes: number;
}

/** A record of the log: the bytes of a metadata record, or null where only the offset counts (control records). */
export type EachRecord = (value: Buffer | null, offset: number, leaderEpoch: number) => void;

interface Waiting {
  readonly offset: number;
  resolve(): void;
  reject(error: unknown): void;
}

export class MetadataLog {
  readonly leaderEpoch: number;
  private readonly log: Log;
  private readonly clock: Clock;
  private waiting: Waiting[] = [];
  private flushing = false;

  private constructor(log: Log, leaderEpoch: number, clock: Clock) {
    this.log = log;
    this.leaderEpoch = leaderEpoch;
    this.clock = clock;
  }

  /** Opens or makes the log, hands on every record in it, and takes the leadership in the next epoch. */
  static async open(options: MetadataLogOptions, each: EachRecord): Promise<MetadataLog> {
    const { disk, nodeId, clock, logger } = options;
    const dir = `${options.dir}/${METADATA_TOPIC}-0`;
    const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: options.segmentBytes, retentionMs: -1 };
    const topic = { topic: METADATA_TOPIC, partition: 0, topicId: METADATA_TOPIC_ID };
    // the raft log has no clean shutdown of its own: it is small and always checked
    const log = Log.open({ disk, dir, ...topic, config, clock, clean: false, logger });
    if (log.logStartOffset > 0) {
      const reason = `begins at offset ${log.logStartOffset}, behind a snapshot, and snapshots are not read yet`;
      throw new UnreadableMetadata(`The metadata log in ${dir} ${reason}.`);
    }
    readAll(log, each);
    const epoch = Math.max(log.latestEpoch, readQuorumState(disk, dir)?.leaderEpoch ?? 0) + 1;
    writeQuorumState(disk, dir, { leaderId: nodeId, leaderEpoch: epoch, voters: [nodeId] });
    const opened = new MetadataLog(log, epoch, clock);
    await opened.lead(nodeId, each);
    return opened;
  }

  private async lead(nodeId: number, each: EachRecord): Promise<void> {
    const voters = [{ voterId: nodeId }];
    const change = leaderChangeRecord({ version: 0, leaderId: nodeId, voters, grantingVoters: voters });
    const at = { baseOffset: this.log.logEndOffset, leaderEpoch: this.leaderEpoch, timestampMs: this.clock.nowMs() };
    const { lastOffset } = this.log.appendAsLeader(controlBatch([change], at), this.leaderEpoch, 'raft');
    each(null, lastOffset, this.leaderEpoch);
    await this.committed(lastOffset);
  }

  get endOffset(): number {
    return this.log.logEndOffset;
  }

  /** Appends the records in one atomic batch; returns the offset of the first. Not yet committed. */
  append(values: readonly Buffer[]): number {
    if (values.length > MAX_BATCH_RECORDS) throw new RangeError(`${values.length} metadata records at once`);
    const timestamp = this.clock.nowMs();
    const records = values.map((value) => ({ value, timestamp }));
    return this.log.appendAsLeader(encodeBatch(records), this.leaderEpoch, 'raft').firstOffset;
  }

  /** Resolves when everything up to `offset` is on disk. */
  committed(offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ offset, resolve, reject });
      if (!this.flushing) this.flush();
    });
  }

  /** One flush for all that wait; those who come meanwhile get the next. */
  private async flush(): Promise<void> {
    this.flushing = true;
    while (this.waiting.length > 0) {
      const served = this.waiting;
      this.waiting = [];
      try {
        await this.log.flush();
        for (const w of served) w.resolve();
      } catch (error) {
        for (const w of served) w.reject(error);
      }
    }
    this.flushing = false;
  }

  close(): void {
    this.log.close();
  }
}

function readAll(log: Log, each: EachRecord): void {
  const upTo = log.logEndOffset;
  for (let offset = log.logStartOffset; offset < upTo; ) {
    const { records } = log.read(offset, READ_BYTES, { upTo, minOneBatch: true });
    if (records.length === 0) return;
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
      readBatch(records, at, each);
      offset = batch.lastOffset(records, at) + 1;
    }
  }
}

function readBatch(buf: Buffer, at: number, each: EachRecord): void {
  const leaderEpoch = batch.leaderEpoch(buf, at);
  const isControl = (batch.attributes(buf, at) & batch.CONTROL_BIT) !== 0;
  for (const record of readRecords(buf, at)) {
    if (isControl) readControlRecord(record);
    each(isControl ? null : record.value, record.offset, leaderEpoch);
  }
}
