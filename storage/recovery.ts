/**
 * From the files in a partition's folder to a log that can be used (FORMAT.md has the rules). After a clean shutdown nothing is read but
 * names; otherwise every segment that may hold bytes beyond the recovery point is checked batch by batch, cut at the first
 * batch that is not valid, and indexed anew.
 */
import { attributes, baseOffset, CONTROL_BIT, lastOffset, leaderEpoch } from '../protocol/records/batch.ts';
import { hasValidCrc } from '../protocol/records/check.ts';
import { repairInterruptedSwap } from './interrupted-swap.ts';
import { isLeaderEpochFile, LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import type { StorageLogger } from './logger.ts';
import { LOG_SUFFIX, offsetFromName, SEGMENT_SUFFIXES } from './names.ts';
import { PARTITION_METADATA_FILE } from './partition-metadata.ts';
import { ProducerSnapshots } from './producer-snapshot.ts';
import { type CompletedTransaction, isExpired, ProducerState } from './producer-state.ts';
import type { LogResources } from './resources.ts';
import { Segment } from './segment.ts';

const RECOVERY_WINDOW_BYTES = 1_048_576;

export interface LoadOptions {
  resources: LogResources;
  dir: string;
  config: LogConfig;
  nowMs: number;
  recoveryPoint: number;
  logStartOffset: number;
  clean: boolean;
  logger: StorageLogger;
}

export interface LoadedLog {
  /** In order; never empty. */
  segments: Segment[];
  logStartOffset: number;
  logEndOffset: number;
  recoveryPoint: number;
  snapshots: ProducerSnapshots;
  /** Null where nothing had to be recovered; to be read when it is wanted. */
  producers: ProducerState | null;
  epochs: LeaderEpochs | null;
  hasEpochFile: boolean;
  hasTopicIdFile: boolean;
}

export function loadLog(options: LoadOptions): LoadedLog {
  const { resources, dir } = options;
  const names = repairInterruptedSwap(resources.files, dir, resources.disk.list(dir));
  const segments = openSegments(options, names);
  const snapshots = new ProducerSnapshots(resources.disk, dir, names);
  const hasEpochFile = names.some(isLeaderEpochFile);
  const log: LoadedLog = {
    segments,
    logStartOffset: options.logStartOffset,
    logEndOffset: 0,
    recoveryPoint: options.recoveryPoint,
    snapshots,
    producers: null,
    epochs: null,
    hasEpochFile,
    hasTopicIdFile: names.includes(PARTITION_METADATA_FILE),
  };
  if (!options.clean && segments.length > 0) {
    log.epochs = new LeaderEpochs(resources.disk, dir, hasEpochFile);
    log.producers = recoverSegments(options, log);
  }
  settleOffsets(options, log);
  if (log.epochs !== null) {
    log.epochs.truncateFromEnd(log.logEndOffset);
    log.epochs.truncateFromStart(log.logStartOffset);
  }
  snapshots.removeAbove(log.logEndOffset);
  snapshots.removeStray(log.segments.map((segment) => segment.baseOffset));
  return log;
}

function openSegments(options: LoadOptions, names: readonly string[]): Segment[] {
  const existing = new Set(names);
  const segments: Segment[] = [];
  for (const name of names) {
    const base = offsetFromName(name, LOG_SUFFIX);
    if (base !== null) {
      segments.push(new Segment(options.resources.files, options.dir, base, options.nowMs, existing));
    } else if (isOrphan(name, existing)) {
      options.logger.warn({ dir: options.dir, file: name }, 'an index without its log file is removed');
      options.resources.disk.remove(`${options.dir}/${name}`);
    }
  }
  return segments;
}

/** An index whose .log file is not there. */
function isOrphan(name: string, existing: ReadonlySet<string>): boolean {
  const suffix = SEGMENT_SUFFIXES.find((candidate) => offsetFromName(name, candidate) !== null);
  return suffix !== undefined && !existing.has(name.slice(0, -suffix.length) + LOG_SUFFIX);
}

/** Log end, log start, recovery point; a first segment where there is none. */
function settleOffsets(options: LoadOptions, log: LoadedLog): void {
  if (log.segments.length > 0) log.logEndOffset = findLogEnd(options, log);
  if (log.segments.length > 0 && log.logEndOffset < options.logStartOffset) {
    const { logEndOffset } = log;
    options.logger.warn(
      { dir: options.dir, logEndOffset, logStartOffset: options.logStartOffset },
      'segments end before the log start and are removed',
    );
    for (const segment of log.segments) segment.remove();
    log.segments.length = 0;
    log.snapshots.removeAll();
    log.producers?.clear();
    log.epochs?.clear();
  }
  if (log.segments.length === 0) {
    log.segments.push(new Segment(options.resources.files, options.dir, options.logStartOffset, options.nowMs, null));
    log.logEndOffset = options.logStartOffset;
  }
  log.logStartOffset = Math.max(options.logStartOffset, log.segments[0].baseOffset);
  log.recoveryPoint = options.clean ? log.logEndOffset : Math.min(options.recoveryPoint, log.logEndOffset);
}

/**
 * At a clean shutdown the recovery point is the log end, and there is a snapshot of just that offset; only where either is missing is
 * the end looked for in the last segment.
 */
function findLogEnd(options: LoadOptions, log: LoadedLog): number {
  const last = log.segments[log.segments.length - 1];
  const { clean, recoveryPoint } = options;
  if (clean && recoveryPoint >= last.baseOffset && log.snapshots.has(recoveryPoint)) {
    if (recoveryPoint > last.baseOffset || last.sizeBytes === 0) return recoveryPoint;
  }
  return last.nextOffset();
}

/** Checks the segments that may not be on disk as a whole; gives the producers as of the log end. */
function recoverSegments(options: LoadOptions, log: LoadedLog): ProducerState {
  const { segments, snapshots } = log;
  const first = Math.max(
    0,
    segments.findLastIndex((segment) => segment.baseOffset <= options.recoveryPoint),
  );
  snapshots.removeAbove(segments[first].baseOffset);
  const source = { ...options, ...log, producerIdExpirationMs: options.config.producerIdExpirationMs };
  const producers = loadProducers(source, segments[first].baseOffset);
  for (let i = first; i < segments.length; i++) {
    if (i > first) snapshots.write(segments[i].baseOffset, producers.entries, false);
    const validBytes = recoverSegment(options, segments[i], producers, log.epochs as LeaderEpochs);
    const cutBytes = segments[i].sizeBytes - validBytes;
    if (cutBytes > 0) cutBehind(options, segments, i, validBytes);
    segments[i].finish();
  }
  return producers;
}

/** Checks and indexes one segment; gives the bytes of its valid batches. */
function recoverSegment(
  options: LoadOptions,
  segment: Segment,
  producers: ProducerState,
  epochs: LeaderEpochs,
): number {
  const interval = options.config.indexIntervalBytes;
  segment.resetIndexes();
  segment.transactionIndex.reset();
  const cursor = segment.cursor(0, RECOVERY_WINDOW_BYTES);
  let next = segment.baseOffset;
  for (; cursor.load(); cursor.advance()) {
    cursor.loadWhole();
    const { buf, at } = cursor;
    if (baseOffset(buf, at) < next || !hasValidCrc(buf, at)) break;
    segment.indexBatch(buf, at, cursor.position, interval);
    if (leaderEpoch(buf, at) > epochs.latest) epochs.assign(leaderEpoch(buf, at), baseOffset(buf, at));
    producers.updateBatch(buf, at, (transaction) => noteAborted(segment, transaction));
    next = lastOffset(buf, at) + 1;
  }
  return cursor.position;
}

/**
 * Cuts segment `i` and removes those behind it, the last one first and the cut last: a crash in between must not leave batches behind
 * a gap that the next recovery would take for valid.
 */
function cutBehind(options: LoadOptions, segments: Segment[], i: number, validBytes: number): void {
  const dropped = segments.splice(i + 1);
  for (const segment of dropped.reverse()) segment.remove();
  const cutBytes = segments[i].sizeBytes - validBytes;
  options.logger.warn(
    { file: segments[i].log.path, cutBytes, droppedSegments: dropped.length },
    'the log was cut behind its last valid batch',
  );
  segments[i].cutFile(validBytes);
}

export function noteAborted(segment: Segment, transaction: CompletedTransaction): void {
  if (transaction.aborted) segment.transactionIndex.append(transaction);
}

export interface ProducerSource {
  segments: readonly Segment[];
  snapshots: ProducerSnapshots;
  logStartOffset: number;
  producerIdExpirationMs: number;
  nowMs: number;
  /** The log was closed in an orderly way when its newest snapshot was written. */
  clean: boolean;
}

/** The producers as of `upTo`: from the newest snapshot below it and the batches that follow. */
export function loadProducers(source: ProducerSource, upTo: number): ProducerState {
  const producers = new ProducerState();
  const snapshot = source.snapshots.readNewest(upTo);
  if (snapshot !== null) {
    producers.load(snapshot.entries.filter((entry) => !isExpired(entry, source.nowMs, source.producerIdExpirationMs)));
  } else if (source.clean) {
    // As Kafka has it: a log that was closed and has no snapshot never knew a producer.
    return producers;
  }
  replayProducers(producers, source.segments, Math.max(snapshot?.offset ?? 0, source.logStartOffset), upTo);
  return producers;
}

/** Batches in [from, upTo), which are in the log for good: transaction indexes have them already. */
function replayProducers(producers: ProducerState, segments: readonly Segment[], from: number, upTo: number): void {
  for (const [i, segment] of segments.entries()) {
    if (segment.baseOffset >= upTo) return;
    if (i + 1 < segments.length && segments[i + 1].baseOffset <= from) continue;
    const position = segment.locate(from);
    if (position < 0) continue;
    const cursor = segment.cursor(position);
    for (; cursor.load() && baseOffset(cursor.buf, cursor.at) < upTo; cursor.advance()) {
      if ((attributes(cursor.buf, cursor.at) & CONTROL_BIT) !== 0) cursor.loadWhole();
      producers.updateBatch(cursor.buf, cursor.at, () => {});
    }
  }
}
