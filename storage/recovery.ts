/**
 * From the files in a partition's folder to a log that can be used (FORMAT.md has the rules). After a clean shutdown nothing is read but
 * names; otherwise every segment that may hold bytes beyond the recovery point is checked batch by batch, cut at the first
 * batch that is not valid, and indexed anew. What is missing below the recovery point was on disk for good: then nothing is cut, and
 * the log does not open.
 */
import { abortedIn } from './aborted-transactions.ts';
import type { CheckedFiles } from './checked-files.ts';
import { loadEpochs } from './epoch-recovery.ts';
import { repairInterruptedSwap } from './interrupted-swap.ts';
import { isLeaderEpochFile, type LeaderEpochs } from './leader-epochs.ts';
import { loadProducers } from './load-producers.ts';
import { damaged } from './log-error.ts';
import type { StorageLogger } from './logger.ts';
import { LOG_SUFFIX, offsetFileName, offsetFromName, SEGMENT_SUFFIXES, TEMPORARY_SUFFIX } from './names.ts';
import { PARTITION_METADATA_FILE } from './partition-metadata.ts';
import { ProducerSnapshots } from './producer-snapshot.ts';
import type { ProducerState } from './producer-state.ts';
import type { LogResources } from './resources.ts';
import { Segment } from './segment.ts';
import {
  checkEachBatch,
  checkSegment,
  mayHaveGap,
  type RecoveryOptions,
  recoveryWindow,
  type SegmentRecovery,
  type SoundPart,
  walkSegment,
  wasCompacted,
} from './segment-recovery.ts';
import { isFollowed } from './torn-tail.ts';

export interface LoadOptions extends RecoveryOptions {
  resources: LogResources;
  dir: string;
  nowMs: number;
  logStartOffset: number;
  clean: boolean;
  /** All bytes are from writes that came back, but for the end of the last one to each file (DiskLock.vouched). */
  vouched: boolean;
  /** Where valid batches follow what is not, nothing is cut. */
  cutsTailOnly: boolean;
  /** Files that were checked before, as a whole. */
  checkedFiles: CheckedFiles;
  /** What is checked is written once more, since the kernel may take it for written when it is not. */
  rewrite: boolean;
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
  const found = resources.disk.list(dir);
  if (!options.clean) removeUnfinished(options, found);
  const names = repairInterruptedSwap(resources.files, dir, found);
  const segments = openSegments(options, names);
  const snapshots = new ProducerSnapshots(resources.disk, dir, names);
  // Batches between it and the first segment are deleted, and with them perhaps the end of a transaction that it has as open.
  if (segments.length > 0) snapshots.removeBelow(segments[0].baseOffset);
  else snapshots.removeAll();
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
  if (!options.clean) snapshots.distrustAbove(options.recoveryPoint);
  if (!options.clean && segments.length > 0) recover(options, log);
  if (segments.length > 0) log.logEndOffset = findLogEnd(options, log);
  checkReachesRecoveryPoint(options, log);
  settleOffsets(options, log);
  expectEnds(options, log);
  if (log.epochs !== null) {
    log.epochs.truncateFromEnd(log.logEndOffset);
    log.epochs.truncateFromStart(log.logStartOffset);
  }
  snapshots.removeAbove(log.logEndOffset);
  snapshots.removeStray(log.segments.map((segment) => segment.baseOffset));
  return log;
}

/**
 * Files on their way to a name. Written anew in place they could take it with what they hold now: a power cut may undo the writing and
 * keep the name.
 */
function removeUnfinished(options: LoadOptions, names: readonly string[]): void {
  for (const name of names)
    if (name.endsWith(TEMPORARY_SUFFIX)) options.resources.disk.remove(`${options.dir}/${name}`);
}

function openSegments(options: LoadOptions, names: readonly string[]): Segment[] {
  const existing = new Set(names);
  const segments: Segment[] = [];
  for (const name of names) {
    const base = offsetFromName(name, LOG_SUFFIX);
    if (base !== null) {
      segments.push(new Segment(options.resources.files, options.dir, base, options.nowMs, existing));
    }
  }
  for (const name of names) {
    const offset = orphanOffset(name, existing);
    if (offset === null) continue;
    checkOrphan(options, segments, offset);
    options.logger.warn({ dir: options.dir, file: name }, 'an index without its log file is removed');
    options.resources.disk.remove(`${options.dir}/${name}`);
  }
  return segments;
}

/** The offset in the name of an index whose .log file is not there; null for any other name. */
function orphanOffset(name: string, existing: ReadonlySet<string>): number | null {
  const suffix = SEGMENT_SUFFIXES.find((candidate) => offsetFromName(name, candidate) !== null);
  if (suffix === undefined || existing.has(name.slice(0, -suffix.length) + LOG_SUFFIX)) return null;
  return offsetFromName(name, suffix);
}

/**
 * Segments leave a log at its beginning, or at its end down to an offset that the recovery point does not reach; so an index on its own
 * between the first segment and the recovery point has lost its log.
 */
function checkOrphan(options: LoadOptions, segments: readonly Segment[], offset: number): void {
  // A compaction that was interrupted leaves such indexes as well.
  if (segments.length === 0 || wasCompacted(options)) return;
  if (offset < segments[0].baseOffset || offset >= options.recoveryPoint) return;
  const path = `${options.dir}/${offsetFileName(offset, LOG_SUFFIX)}`;
  throw damaged(path, 0, `the file is missing; its index is there, and the recovery point is ${options.recoveryPoint}`);
}

/** All below the recovery point was on disk for good; where all of it is deleted, nothing has to be there. */
function checkReachesRecoveryPoint(options: LoadOptions, log: LoadedLog): void {
  const { recoveryPoint } = options;
  if (recoveryPoint <= options.logStartOffset || log.logEndOffset >= recoveryPoint) return;
  const last = log.segments.at(-1);
  const path = last?.log.path ?? `${options.dir}/${offsetFileName(options.logStartOffset, LOG_SUFFIX)}`;
  const reason = `the log ends at offset ${log.logEndOffset}, the recovery point is ${recoveryPoint}`;
  throw damaged(path, last?.sizeBytes ?? 0, reason);
}

/** What the segments are held against when they are first used. */
function expectEnds(options: LoadOptions, log: LoadedLog): void {
  const { segments } = log;
  for (const [i, segment] of segments.entries()) {
    if (!segment.log.exists) continue;
    const next = segments[i + 1];
    const end = { offset: next?.baseOffset ?? log.logEndOffset, exact: next === undefined && options.clean };
    segment.found(end, options.resources.disk, () => rebuiltTransactions(options, log, segment, end.offset));
  }
}

function rebuiltTransactions({ config, nowMs, logger }: LoadOptions, log: LoadedLog, segment: Segment, upTo: number) {
  logger.warn({ file: segment.transactionIndex.file.path }, 'the transaction index is missing or wrong, and made anew');
  const { segments, snapshots } = log;
  const { producerIdExpirationMs } = config;
  return abortedIn(segment, upTo, { segments, snapshots, producerIdExpirationMs, nowMs, clean: false });
}

/** Log end, log start, recovery point; a first segment where there is none. */
function settleOffsets(options: LoadOptions, log: LoadedLog): void {
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

/**
 * The headers say all, where the last holder has vouched for what it wrote and was killed, or all has been checked before; where they say
 * anything unexpected, as they do behind a write that was cut short, all is checked.
 */
function recover(options: LoadOptions, log: LoadedLog): void {
  const headersDo = options.vouched || areChecked(options, log.segments.slice(firstToRecover(options, log)));
  if (headersDo && recoverSegments(options, log, walkSegment)) return;
  if (!recoverSegments(options, log, checkSegment)) recoverSegments(options, log, checkEachBatch);
}

const areChecked = ({ checkedFiles }: LoadOptions, segments: readonly Segment[]): boolean =>
  segments.every(({ log, sizeBytes }) => checkedFiles.get(log.path) === sizeBytes);

function firstToRecover({ recoveryPoint, checkAll }: LoadOptions, { segments }: LoadedLog): number {
  if (checkAll) return 0;
  const first = segments.findLastIndex((segment) => segment.baseOffset <= recoveryPoint);
  return Math.max(0, first);
}

/** Goes through the segments that may not be on disk as a whole. False where another way has to be gone; nothing was cut then. */
function recoverSegments(options: LoadOptions, log: LoadedLog, recoverSegment: SegmentRecovery): boolean {
  const { segments, snapshots } = log;
  const first = firstToRecover(options, log);
  const isWalk = recoverSegment === walkSegment;
  // Snapshots are written as a whole, too.
  const isVouched = isWalk && options.vouched;
  if (!isVouched) snapshots.removeAbove(segments[first].baseOffset);
  const epochs = epochsBefore(options, log, first);
  epochs.truncateFromEnd(segments[first].baseOffset);
  const source = { ...options, ...log, producerIdExpirationMs: options.config.producerIdExpirationMs };
  const producers = loadProducers(source, segments[first].baseOffset);
  for (let i = first; i < segments.length; i++) {
    const { baseOffset } = segments[i];
    // The first one's is intact where it is there: the producers were read from it.
    const isKept = snapshots.has(baseOffset) && (isVouched || i === first);
    if (baseOffset > 0 && !isKept) snapshots.write(baseOffset, producers.entries, false);
    const sound = recoverSegment(options, segments[i], { producers, epochs });
    if (sound === null) return false;
    sound.invalid ??= mismatchBehind(options, sound, segments[i + 1]);
    if (sound.invalid !== null && isWalk) return false;
    if (sound.invalid !== null) cutBehind(options, segments, i, sound);
    segments[i].finish();
    if (options.rewrite) rewrite(segments[i]);
  }
  log.epochs = epochs;
  log.producers = producers;
  return true;
}

/** As they are before the segment `first`: what follows is read from the batches. */
function epochsBefore({ resources, dir, logger }: LoadOptions, log: LoadedLog, first: number): LeaderEpochs {
  const { hasEpochFile } = log;
  return loadEpochs({ disk: resources.disk, dir, hasEpochFile, segments: log.segments.slice(0, first), logger });
}

/**
 * A segment begins where the one before it ended: otherwise bytes in between are missing that the page cache still had, or a truncation was
 * undone. A compaction makes gaps as well, at the end of what it leaves of a segment.
 */
function mismatchBehind(options: LoadOptions, sound: SoundPart, next: Segment | undefined): string | null {
  if (next === undefined || next.baseOffset === sound.nextOffset) return null;
  if (next.baseOffset > sound.nextOffset && mayHaveGap(options, next.baseOffset - 1)) return null;
  return `the next segment begins at offset ${next.baseOffset}`;
}

/** Makes pages dirty that count as clean after a sync that failed; indexes that were found as they are to be were not written either. */
function rewrite(segment: Segment): void {
  for (const { handle } of segment.durableFiles(true)) {
    const sizeBytes = handle.sizeBytes();
    for (let at = 0; at < sizeBytes; at += recoveryWindow.length) {
      const part = recoveryWindow.subarray(0, Math.min(recoveryWindow.length, sizeBytes - at));
      handle.readSync(part, at);
      handle.writeSync(part, at);
    }
  }
}

/**
 * Cuts segment `i` behind its sound part and removes those that follow, the last one first and the cut last: a crash in between must not
 * leave batches behind a gap that the next recovery would take for valid. Throws where this would take what was on disk for good.
 */
function cutBehind(options: LoadOptions, segments: Segment[], i: number, sound: SoundPart): void {
  const { path } = segments[i].log;
  if (sound.nextOffset < options.recoveryPoint) {
    const reason = `${sound.invalid}, at offset ${sound.nextOffset}; the recovery point is ${options.recoveryPoint}`;
    throw damaged(path, sound.sizeBytes, reason);
  }
  if (options.cutsTailOnly && isFollowed(segments, i, sound.sizeBytes)) {
    throw damaged(path, sound.sizeBytes, `${sound.invalid}, at offset ${sound.nextOffset}; valid batches follow`);
  }
  const dropped = segments.splice(i + 1);
  for (const segment of dropped.reverse()) segment.remove();
  const cutBytes = segments[i].sizeBytes - sound.sizeBytes;
  options.logger.warn(
    { file: path, position: sound.sizeBytes, cutBytes, droppedSegments: dropped.length, reason: sound.invalid },
    'the log was cut behind its last valid batch',
  );
  segments[i].cutFile(sound.sizeBytes);
  // What is gone must not come back behind what follows now.
  segments[i].log.handle.syncSync();
  options.resources.disk.syncDir(options.dir);
}
