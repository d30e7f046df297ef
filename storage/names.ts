/** File and folder names of Kafka's log (LogFileUtils, LocalLog). */
import { isMarkedDirName } from './marked-folders.ts';

export const LOG_SUFFIX = '.log';
export const OFFSET_INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const TRANSACTION_INDEX_SUFFIX = '.txnindex';
export const SNAPSHOT_SUFFIX = '.snapshot';
/** Marked for deletion; removed when the log is opened. */
export const DELETED_SUFFIX = '.deleted';
/** The output of a compaction that has not been finished; removed when the log is opened. */
export const CLEANED_SUFFIX = '.cleaned';
/** The output of a compaction that is finished but does not stand in place yet; takes its place when the log is opened. */
export const SWAP_SUFFIX = '.swap';

/** Has its content and not its name yet (Disk.writeFile). */
export const TEMPORARY_SUFFIX = '.tmp';

const OFFSET_DIGITS = 20;

export const SEGMENT_SUFFIXES = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX] as const;

export function offsetFileName(offset: number, suffix: string): string {
  return String(offset).padStart(OFFSET_DIGITS, '0') + suffix;
}

/** The offset in a name such as 00000000000000000042.log, or null when the name is not of that form. */
export function offsetFromName(name: string, suffix: string): number | null {
  if (name.length !== OFFSET_DIGITS + suffix.length || !name.endsWith(suffix)) return null;
  const digits = name.slice(0, OFFSET_DIGITS);
  if (!/^\d{20}$/.test(digits)) return null;
  const offset = Number(digits);
  return Number.isSafeInteger(offset) ? offset : null;
}

export const partitionDirName = (topic: string, partition: number): string => `${topic}-${partition}`;

/** The topic and partition of a folder TOPIC-N, or null for any other name (those of marked folders included). */
export function parsePartitionDirName(name: string): { topic: string; partition: number } | null {
  if (isMarkedDirName(name)) return null;
  const found = /^([a-zA-Z0-9._-]+)-(\d{1,10})$/.exec(name);
  return found === null ? null : { topic: found[1], partition: Number(found[2]) };
}
