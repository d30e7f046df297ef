/**
 * What a crash in the middle of a compaction leaves in a partition's folder, put right (LogLoader, KAFKA-6264):
 *   .deleted   was to go: goes
 *   .cleaned   output of a compaction that did not finish: goes, and with it .swap files from there on, which belong to a segment
 *              that was being split
 *   .swap      finished output: takes the place of all segments whose offsets it covers
 */
import { lastOffset } from '../protocol/records/batch.ts';
import { BatchCursor } from './batch-cursor.ts';
import { type FilePool, PooledFile } from './file-pool.ts';
import { CLEANED_SUFFIX, DELETED_SUFFIX, LOG_SUFFIX, offsetFromName, SEGMENT_SUFFIXES, SWAP_SUFFIX } from './names.ts';

/** Snapshots of the metadata log that wait for deletion; they are raft's. */
const CHECKPOINT_DELETED_SUFFIX = '.checkpoint.deleted';

/** The names in the folder after the repair; `names` are those before. */
export function repairInterruptedSwap(files: FilePool, dir: string, names: readonly string[]): string[] {
  const isLeftOver = (name: string): boolean =>
    isDeleted(name) || name.endsWith(CLEANED_SUFFIX) || name.endsWith(SWAP_SUFFIX);
  if (!names.some(isLeftOver)) return [...names];
  const { disk } = files;
  const firstCleaned = Math.min(...names.map((name) => offsetOf(name, CLEANED_SUFFIX) ?? Number.POSITIVE_INFINITY));
  const swaps: string[] = [];
  for (const name of names) {
    const swapOffset = offsetOf(name, SWAP_SUFFIX);
    if (swapOffset !== null && swapOffset < firstCleaned) swaps.push(name);
    else if (isLeftOver(name)) disk.remove(`${dir}/${name}`);
  }
  removeReplaced(files, dir, names, swaps);
  for (const name of swaps) disk.rename(`${dir}/${name}`, `${dir}/${name.slice(0, -SWAP_SUFFIX.length)}`);
  return disk.list(dir);
}

function isDeleted(name: string): boolean {
  return name.endsWith(DELETED_SUFFIX) && !name.endsWith(CHECKPOINT_DELETED_SUFFIX);
}

/** The base offset in NNN.log.swap and the like. */
function offsetOf(name: string, temporarySuffix: string): number | null {
  if (!name.endsWith(temporarySuffix)) return null;
  return segmentOffset(name.slice(0, -temporarySuffix.length));
}

function segmentOffset(name: string): number | null {
  for (const suffix of SEGMENT_SUFFIXES) {
    const offset = offsetFromName(name, suffix);
    if (offset !== null) return offset;
  }
  return null;
}

function removeReplaced(files: FilePool, dir: string, names: readonly string[], swaps: readonly string[]): void {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const name of swaps) {
    const base = offsetFromName(name, LOG_SUFFIX + SWAP_SUFFIX);
    if (base === null) continue;
    from = Math.min(from, base);
    // Of one without records too, the files that it has a name in common with go.
    to = Math.max(to, nextOffset(files, `${dir}/${name}`, base), base + 1);
  }
  for (const name of names) {
    const offset = segmentOffset(name);
    if (offset !== null && offset >= from && offset < to) files.disk.remove(`${dir}/${name}`);
  }
}

function nextOffset(files: FilePool, path: string, baseOffset: number): number {
  const file = new PooledFile(files, path, true);
  const cursor = new BatchCursor(file, 0, file.handle.sizeBytes());
  let next = baseOffset;
  for (; cursor.load(); cursor.advance()) next = lastOffset(cursor.buf, cursor.at) + 1;
  file.close();
  return next;
}
