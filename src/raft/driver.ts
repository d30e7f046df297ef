/**
 * The metadata log `__cluster_metadata-0` on disk, and the one place where the consensus core meets log, disk and clock: it does what the
 * core asks for (core.ts) and tells it what has become durable. Appends that come while a flush is under way share the next one.
 */
import { METADATA_TOPIC } from '../../protocol/metadata-topic.ts';
import * as batch from '../../protocol/records/batch.ts';
import { controlBatch, leaderChangeRecord, readControlRecord } from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { encodeBatch, type RecordInput } from '../../protocol/records/encode.ts';
import { METADATA_TOPIC_ID } from '../../protocol/uuid.ts';
import {
  DEFAULT_LOG_CONFIG,
  type Disk,
  Log,
  LogError,
  type LogOptions,
  LogResources,
  type StorageLogger,
} from '../../storage/index.ts';
import { SILENT_LOGGER } from '../../storage/logger.ts';
import type { Clock } from '../env.ts';
import { type Append, type Effects, type QuorumState, RaftCore } from './core.ts';
import { MAX_KRAFT_VERSION, type Quorum, quorumRecords, staticQuorum, type Voter } from './quorum.ts';
import { QuorumHistory } from './quorum-history.ts';
import { readQuorumState, writeQuorumState } from './quorum-state.ts';
import { RecoveryPoint } from './recovery-point.ts';
import { BOOTSTRAP_SNAPSHOT, type SnapshotId } from './snapshot-file.ts';
import { type LoadedSnapshot, type Retention, Snapshots, snapshotToBeginAt } from './snapshots.ts';
import { UnreadableMetadata } from './unreadable-metadata.ts';

/** Records that Kafka's controller puts into one batch at the most. */
export const MAX_BATCH_RECORDS = 10_000;
const READ_BYTES = 4 * 1024 * 1024;

export interface MetadataLogOptions {
  readonly disk: Disk;
  /** The folder that holds `__cluster_metadata-0`. */
  readonly dir: string;
  /** This node as a voter. Without endpoints it has nothing to say of where it listens. */
  readonly local: Voter;
  /** Of a log that is not there yet, and begins with this node as its only voter. */
  readonly initialKraftVersion: number;
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
  private readonly recoveryPoint: RecoveryPoint;
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
    this.recoveryPoint = opened.recoveryPoint;
    this.snapshots = opened.snapshots;
    this.core = core;
  }

  /** Opens or makes the log, hands on what is in it, and takes the leadership in the next epoch. Throws UnreadableMetadata. */
  static async open(options: MetadataLogOptions, reader: LogReader): Promise<MetadataLog> {
    const { local, disk, clock } = options;
    const dir = `${options.dir}/${METADATA_TOPIC}-0`;
    const voted = readQuorumState(disk, dir);
    const opened = openLog(options, dir, reader);
    const { history, snapshots } = opened;
    const logEndOffset = opened.log.logEndOffset;
    if (voted === null && logEndOffset === 0 && snapshots.all.length === 0) await format(options, opened);
    checkQuorum(history.last, voted, local, dir);
    const leaderEpoch = Math.max(opened.latestEpoch, voted?.leaderEpoch ?? 0);
    const core = new RaftCore({ local, history, leaderEpoch, logEndOffset });
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

  /** Who votes, as the log says it by now, committed or not. */
  get quorum(): Quorum {
    return this.core.quorum;
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

  /** Appends the voters, for this kraft.version from here on; nothing where it is in force already. Not yet committed. */
  upgrade(kraftVersion: number): void {
    this.perform(this.core.step({ type: 'upgrade', kraftVersion, nowMs: this.clock.nowMs() }));
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
        this.recoveryPoint.note(this.log.recoveryPoint);
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
    const writing = this.snapshots.write(id, values, {
      lastContainedLogTimestampMs,
      quorum: this.core.quorumAt(id.endOffset - 1),
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
    await this.log.closeDurably();
    this.recoveryPoint.note(this.log.recoveryPoint, true);
  }
}

/** Throws UnreadableMetadata unless this node, in this folder, is the only voter. */
function checkQuorum(quorum: Quorum, voted: QuorumState | null, local: Voter, dir: string): void {
  const { kraftVersion } = quorum;
  const refused = (reason: string) => new UnreadableMetadata(`The metadata log in ${dir} ${reason}.`);
  if (kraftVersion > MAX_KRAFT_VERSION) {
    throw refused(`is of kraft.version ${kraftVersion}; odradek supports 0 to ${MAX_KRAFT_VERSION}`);
  }
  // who votes stands in the quorum state where it does not stand in the log
  const ids = kraftVersion > 0 ? quorum.voters.map(({ id }) => id) : (voted?.voters ?? []);
  if (ids.some((id) => id !== local.id)) {
    throw refused(`belongs to a quorum of the nodes ${ids.join(', ')}, not of ${local.id} alone`);
  }
  if (kraftVersion > 0 && quorum.voters[0]?.directoryId !== local.directoryId) {
    const voter = quorum.voters[0]?.directoryId ?? 'none';
    throw refused(`has as its voter the directory.id ${voter}, not that of this directory, ${local.directoryId}`);
  }
}

/** A new cluster: with kraft.version 1 a snapshot of nothing names the first voter, as `kafka-storage format --standalone` leaves it. */
async function format(options: MetadataLogOptions, { snapshots, history }: OpenedLog): Promise<void> {
  const { local, initialKraftVersion: kraftVersion, clock } = options;
  if (kraftVersion === 0) return;
  const nowMs = clock.nowMs();
  const quorum = { kraftVersion, voters: [local] };
  const pause = () => Promise.resolve(true);
  await snapshots.write(BOOTSTRAP_SNAPSHOT, [], { lastContainedLogTimestampMs: nowMs, quorum, nowMs, pause });
  history.add(BOOTSTRAP_SNAPSHOT.endOffset - 1, quorum);
}

function encode({ baseOffset, leaderEpoch, timestampMs, entry }: Append): Buffer {
  if (entry.type === 'records') {
    return encodeBatch(entry.values.map((value) => ({ value, timestamp: timestampMs })));
  }
  const quorum = entry.quorum === null ? [] : quorumRecords(entry.quorum);
  const records = entry.type === 'quorum' ? quorum : [leaderChange(entry.leaderId, entry.voters), ...quorum];
  return controlBatch(records, { baseOffset, leaderEpoch, timestampMs });
}

function leaderChange(leaderId: number, ids: readonly number[]): RecordInput {
  const voters = ids.map((voterId) => ({ voterId }));
  return leaderChangeRecord({ version: 0, leaderId, voters, grantingVoters: voters });
}

interface OpenedLog {
  readonly resources: LogResources;
  readonly log: Log;
  readonly recoveryPoint: RecoveryPoint;
  readonly snapshots: Snapshots;
  readonly history: QuorumHistory;
  readonly latestEpoch: number;
}

function openLog(options: MetadataLogOptions, dir: string, reader: LogReader): OpenedLog {
  const { disk, clock, logger, segmentBytes, segmentMs } = options;
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes, segmentMs, retentionMs: -1 };
  const topic = { topic: METADATA_TOPIC, partition: 0, topicId: METADATA_TOPIC_ID };
  const resources = new LogResources(disk);
  const recoveryPoint = new RecoveryPoint(disk, dir, logger);
  // the raft log has no clean shutdown of its own: it is small and always checked
  const checked = { clean: false, checkAll: true };
  const log = openUnlessDamaged({ disk, resources, dir, ...topic, config, clock, logger, ...checked }, recoveryPoint);
  const snapshots = new Snapshots(disk, dir);
  const newest = snapshots.load(log.logStartOffset, logger);
  beginAt(log, newest, dir);
  const history = new QuorumHistory(staticQuorum(options.local));
  if (newest !== null) readSnapshot(newest, history, reader);
  readFrom(log, newest?.id.endOffset ?? 0, history, reader);
  return {
    resources,
    log,
    recoveryPoint,
    snapshots,
    history,
    latestEpoch: Math.max(log.latestEpoch, newest?.id.leaderEpoch ?? 0),
  };
}

/** Throws UnreadableMetadata where bytes are damaged or gone that were on disk for good, as far as that can be told. */
function openUnlessDamaged(options: LogOptions, noted: RecoveryPoint): Log {
  const recoveryPoint = noted.read();
  try {
    return Log.open({ ...options, recoveryPoint: recoveryPoint ?? 0, cutsTailOnly: recoveryPoint === null });
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    const newest = new Snapshots(options.disk, options.dir).load(0, SILENT_LOGGER);
    // what was on disk for good stands in the snapshot, too: the log may be cut, or begin anew behind it
    if (recoveryPoint !== null && recoveryPoint <= (newest?.id.endOffset ?? 0)) return Log.open(options);
    throw new UnreadableMetadata(`The metadata log cannot be used: ${error.message}. Nothing of it was cut.`);
  }
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

function readSnapshot({ id, content }: LoadedSnapshot, history: QuorumHistory, reader: LogReader): void {
  for (const control of content.controls) history.read(id.endOffset - 1, control);
  reader.snapshot(id, content.lastContainedLogTimestampMs, content.values);
}

function readFrom(log: Log, from: number, history: QuorumHistory, reader: LogReader): void {
  const upTo = log.logEndOffset;
  for (let offset = from; offset < upTo; ) {
    const { records } = log.read(offset, READ_BYTES, { upTo, minOneBatch: true });
    if (records.length === 0) return;
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
      readBatch(records, at, from, history, reader);
      offset = batch.lastOffset(records, at) + 1;
    }
  }
}

/** Hands on the records of a batch from offset `from` on: a snapshot of Kafka's may end within one. */
function readBatch(buf: Buffer, at: number, from: number, history: QuorumHistory, reader: LogReader): void {
  const isControl = (batch.attributes(buf, at) & batch.CONTROL_BIT) !== 0;
  const values: Buffer[] = [];
  for (const record of readRecords(buf, at)) {
    if (record.offset < from) continue;
    if (isControl) history.read(record.offset, readControlRecord(record));
    else if (record.value !== null) values.push(record.value);
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
