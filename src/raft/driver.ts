/**
 * The metadata log `__cluster_metadata-0` on disk, and the one place where the consensus core meets log, disk and clock: it does what the
 * core asks for (core.ts) and tells it what has become durable. Appends that come while a flush is under way share the next one.
 */
import * as batch from '../../protocol/records/batch.ts';
import { controlBatch, leaderChangeRecord, readControlRecord } from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { METADATA_TOPIC_ID } from '../../protocol/uuid.ts';
import { DEFAULT_LOG_CONFIG, type Disk, Log, LogResources, type StorageLogger } from '../../storage/index.ts';
import type { Clock } from '../env.ts';
import { type Append, type Effects, type QuorumState, RaftCore } from './core.ts';
import { refuseKraftVersion1 } from './kraft-version.ts';
import { readQuorumState, writeQuorumState } from './quorum-state.ts';
import type { SnapshotId } from './snapshot-file.ts';
import { type LoadedSnapshot, type Retention, Snapshots, snapshotToBeginAt } from './snapshots.ts';
import { UnreadableMetadata } from './unreadable-metadata.ts';

const METADATA_TOPIC = '__cluster_metadata';
/** Records that Kafka's controller puts into one batch at the most. */
export const MAX_BATCH_RECORDS = 10_000;
const READ_BYTES = 4 * 1024 * 1024;

export interface MetadataLogOptions {
  readonly disk: Disk;
  /** The folder that holds `__cluster_metadata-0`. */
  readonly dir: string;
  readonly nodeId: number;
  readonly clock: Clock;
  readonly logger: StorageLogger;
  readonly segmentBytes: number;
  readonly segmentMs: number;
}

/** A batch that is in the log. */
export interface LogBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  /** When it was appended. */
  readonly timestampMs: number;
  readonly sizeBytes: number;
}

/** What is told of the log when it is opened, in its order: first the newest snapshot, if there is one. */
export interface LogReader {
  snapshot(id: SnapshotId, lastContainedLogTimestampMs: number, values: readonly Buffer[]): void;
  /** A batch with control records has no values, and still has its offsets. */
  batch(batch: LogBatch, values: readonly Buffer[]): void;
}

interface Waiting {
  readonly offset: number;
  resolve(): void;
  reject(error: unknown): void;
}

export class MetadataLog {
  private readonly dir: string;
  private readonly disk: Disk;
  private readonly clock: Clock;
  private readonly logger: StorageLogger;
  private readonly resources: LogResources;
  private readonly log: Log;
  private readonly snapshots: Snapshots;
  private readonly core: RaftCore;
  private waiting: Waiting[] = [];
  private flushing = false;
  private closing = false;
  private writingSnapshot: Promise<unknown> = Promise.resolve();

  private constructor(options: MetadataLogOptions, opened: OpenedLog, core: RaftCore) {
    this.dir = opened.log.dir;
    this.disk = options.disk;
    this.clock = options.clock;
    this.logger = options.logger;
    this.resources = opened.resources;
    this.log = opened.log;
    this.snapshots = opened.snapshots;
    this.core = core;
  }

  /** Opens or makes the log, hands on what is in it, and takes the leadership in the next epoch. Throws UnreadableMetadata. */
  static async open(options: MetadataLogOptions, reader: LogReader): Promise<MetadataLog> {
    const { nodeId, disk, clock } = options;
    const dir = `${options.dir}/${METADATA_TOPIC}-0`;
    const voted = readQuorumState(disk, dir);
    if (voted !== null) checkVoters(voted, nodeId, dir);
    const opened = openLog(options, dir, reader);
    const leaderEpoch = Math.max(opened.latestEpoch, voted?.leaderEpoch ?? 0);
    const core = new RaftCore({ nodeId, voters: [nodeId], leaderEpoch, logEndOffset: opened.log.logEndOffset });
    const log = new MetadataLog(options, opened, core);
    for (const appended of log.perform(core.tick(clock.nowMs()))) reader.batch(appended, []);
    await log.committed(log.endOffset - 1);
    return log;
  }

  get leaderEpoch(): number {
    return this.core.leaderEpoch;
  }

  get endOffset(): number {
    return this.core.logEndOffset;
  }

  /** All below is committed. */
  get highWatermark(): number {
    return this.core.highWatermark;
  }

  /** Appends the records in one atomic batch. Not yet committed. */
  append(values: readonly Buffer[]): LogBatch {
    if (values.length > MAX_BATCH_RECORDS) throw new RangeError(`${values.length} metadata records at once`);
    const [appended] = this.perform(this.core.step({ type: 'propose', values, nowMs: this.clock.nowMs() }));
    return appended;
  }

  /** Resolves when everything up to `offset`, which is in the log, is committed. */
  committed(offset: number): Promise<void> {
    if (offset < this.highWatermark) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiting.push({ offset, resolve, reject });
      if (!this.flushing) this.flush();
    });
  }

  private perform(effects: Effects): LogBatch[] {
    const { quorumState, appends, highWatermark } = effects;
    if (quorumState !== null) writeQuorumState(this.disk, this.dir, quorumState);
    const appended = appends.map((append) => this.write(append));
    if (highWatermark !== null) this.answer(highWatermark);
    return appended;
  }

  private write(append: Append): LogBatch {
    const { baseOffset, leaderEpoch, timestampMs } = append;
    const bytes = encode(append);
    try {
      const { lastOffset } = this.log.appendAsLeader(bytes, leaderEpoch, 'raft');
      return { baseOffset, lastOffset, leaderEpoch, timestampMs, sizeBytes: bytes.length };
    } catch (error) {
      this.perform(this.core.step({ type: 'refused', endOffset: this.log.logEndOffset }));
      throw error;
    }
  }

  private answer(highWatermark: number): void {
    const committed = this.waiting.filter(({ offset }) => offset < highWatermark);
    this.waiting = this.waiting.filter(({ offset }) => offset >= highWatermark);
    for (const { resolve } of committed) resolve();
  }

  /** One flush for all that wait; those who come meanwhile get the next. */
  private async flush(): Promise<void> {
    this.flushing = true;
    while (this.waiting.length > 0) {
      const endOffset = this.log.logEndOffset;
      try {
        await this.log.flush(endOffset);
        this.perform(this.core.step({ type: 'flushed', endOffset }));
      } catch (error) {
        const failed = this.waiting;
        this.waiting = [];
        for (const { reject } of failed) reject(error);
      }
    }
    this.flushing = false;
  }

  /**
   * Writes a snapshot with these records, which stand for all that is committed below its end. One at a time.
   * @returns false when the log was closed meanwhile.
   */
  createSnapshot(id: SnapshotId, lastContainedLogTimestampMs: number, values: Iterable<Buffer>): Promise<boolean> {
    if (id.endOffset > this.highWatermark) throw new RangeError(`a snapshot up to ${id.endOffset}, not committed yet`);
    const writing = this.snapshots.write(id, lastContainedLogTimestampMs, values, {
      nowMs: this.clock.nowMs(),
      pause: () => this.pause(),
    });
    this.writingSnapshot = writing.catch(() => {});
    return writing;
  }

  /** Lets others run; says whether to go on. */
  private async pause(): Promise<boolean> {
    if (!this.closing) await new Promise<void>((resolve) => this.clock.after(0, resolve));
    return !this.closing;
  }

  /** Where the last snapshot ends; 0 without one. */
  get lastSnapshotEnd(): number {
    return this.snapshots.all.at(-1)?.endOffset ?? 0;
  }

  /** Lets go of old snapshots, and of the log below the oldest one that stays. */
  async clean(retention: Retention): Promise<void> {
    const nowMs = this.clock.nowMs();
    for (;;) {
      const first = snapshotToBeginAt(this.snapshots.all, this.log.sizeBytes, retention, nowMs);
      if (first === null) break;
      this.log.advanceLogStartOffset(first.endOffset);
      this.log.deleteOldSegments(nowMs, this.highWatermark);
      await this.snapshots.removeBefore(first);
      this.logger.info(
        { dir: this.dir, logStartOffset: first.endOffset },
        'the metadata log begins at a later snapshot',
      );
    }
    await this.resources.deletions.run(nowMs, this.logger);
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.writingSnapshot;
    this.log.close();
  }
}

function checkVoters({ voters }: QuorumState, nodeId: number, dir: string): void {
  if (voters.every((id) => id === nodeId)) return;
  const others = `a quorum of the nodes ${voters.join(', ')}, not of ${nodeId} alone`;
  throw new UnreadableMetadata(`The metadata log in ${dir} belongs to ${others}.`);
}

function encode({ baseOffset, leaderEpoch, timestampMs, entry }: Append): Buffer {
  if (entry.type === 'records') {
    return encodeBatch(entry.values.map((value) => ({ value, timestamp: timestampMs })));
  }
  const voters = entry.voters.map((voterId) => ({ voterId }));
  const change = leaderChangeRecord({ version: 0, leaderId: entry.leaderId, voters, grantingVoters: voters });
  return controlBatch([change], { baseOffset, leaderEpoch, timestampMs });
}

interface OpenedLog {
  readonly resources: LogResources;
  readonly log: Log;
  readonly snapshots: Snapshots;
  readonly latestEpoch: number;
}

function openLog(options: MetadataLogOptions, dir: string, reader: LogReader): OpenedLog {
  const { disk, clock, logger, segmentBytes, segmentMs } = options;
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes, segmentMs, retentionMs: -1 };
  const topic = { topic: METADATA_TOPIC, partition: 0, topicId: METADATA_TOPIC_ID };
  const resources = new LogResources(disk);
  // the raft log has no clean shutdown of its own: it is small and always checked
  const log = Log.open({ disk, resources, dir, ...topic, config, clock, clean: false, logger });
  const snapshots = new Snapshots(disk, dir);
  const newest = snapshots.load(log.logStartOffset, logger);
  beginAt(log, newest, dir);
  if (newest !== null) reader.snapshot(newest.id, newest.content.lastContainedLogTimestampMs, newest.content.values);
  readFrom(log, newest?.id.endOffset ?? 0, dir, reader);
  return { resources, log, snapshots, latestEpoch: Math.max(log.latestEpoch, newest?.id.leaderEpoch ?? 0) };
}

/** Snapshot and log have to meet. A log that ends before the snapshot has nothing to add to it. */
function beginAt(log: Log, newest: LoadedSnapshot | null, dir: string): void {
  const endOffset = newest?.id.endOffset ?? 0;
  if (endOffset < log.logStartOffset) {
    const before =
      newest === null ? 'there is no snapshot that can be read' : `the newest snapshot ends at ${endOffset}`;
    const text = `begins at offset ${log.logStartOffset}, and ${before}: what came before is lost`;
    throw new UnreadableMetadata(`The metadata log in ${dir} ${text}.`);
  }
  if (endOffset > log.logEndOffset) log.truncateFullyAndStartAt(endOffset);
}

function readFrom(log: Log, from: number, dir: string, reader: LogReader): void {
  const upTo = log.logEndOffset;
  for (let offset = from; offset < upTo; ) {
    const { records } = log.read(offset, READ_BYTES, { upTo, minOneBatch: true });
    if (records.length === 0) return;
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
      readBatch(records, at, from, dir, reader);
      offset = batch.lastOffset(records, at) + 1;
    }
  }
}

/** Hands on the records of a batch from offset `from` on: a snapshot of Kafka's may end within one. */
function readBatch(buf: Buffer, at: number, from: number, dir: string, reader: LogReader): void {
  const isControl = (batch.attributes(buf, at) & batch.CONTROL_BIT) !== 0;
  const values: Buffer[] = [];
  for (const record of readRecords(buf, at)) {
    if (isControl) refuseKraftVersion1(readControlRecord(record), `The metadata log in ${dir}`);
    else if (record.value !== null && record.offset >= from) values.push(record.value);
  }
  const appended = {
    baseOffset: batch.baseOffset(buf, at),
    lastOffset: batch.lastOffset(buf, at),
    leaderEpoch: batch.leaderEpoch(buf, at),
    timestampMs: batch.maxTimestamp(buf, at),
    sizeBytes: batch.sizeBytes(buf, at),
  };
  reader.batch(appended, values);
}
