/**
 * Kafka's checkpoint files: text, a version, a count, then one entry a line.
 *
 *   0                      version
 *   2                      entries that follow
 *   orders 0 1234          topic, partition, offset (or epoch, start offset)
 */
import { type Disk, DiskError } from './disk.ts';

const VERSION = 0;

export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint';
export const LOG_START_CHECKPOINT = 'log-start-offset-checkpoint';
/** High watermarks. */
export const REPLICATION_CHECKPOINT = 'replication-offset-checkpoint';
/** Up to where logs have been compacted. */
export const CLEANER_CHECKPOINT = 'cleaner-offset-checkpoint';
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';

/** The disk gives the file, but it is no checkpoint. */
export class MalformedCheckpoint extends DiskError {
  constructor(path: string, reason: string) {
    super('IO', path, reason);
  }
}

/** The lines of a checkpoint file, split at blanks; null when there is no file or it is empty. Throws MalformedCheckpoint. */
export function readCheckpoint(disk: Disk, path: string, fieldsPerLine: number): string[][] | null {
  const bytes = disk.readFile(path);
  if (bytes === null || bytes.length === 0) return null;
  const lines = bytes.toString('utf8').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines[0] !== String(VERSION)) throw new MalformedCheckpoint(path, `version ${lines[0]}, not ${VERSION}`);
  if (lines.length === 1) return null;
  const entries = lines.slice(2).map((line) => line.split(/\s+/));
  if (Number(lines[1]) !== entries.length) {
    throw new MalformedCheckpoint(path, `${lines[1]} entries announced, ${entries.length} found`);
  }
  for (const entry of entries) {
    if (entry.length !== fieldsPerLine) throw new MalformedCheckpoint(path, `malformed line: ${entry.join(' ')}`);
  }
  return entries;
}

export function checkpointText(lines: readonly string[]): string {
  return `${VERSION}\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`;
}

/**
 * Replaces a file as Disk.writeFile does, waiting for the disk elsewhere than in the caller; the folder is not synced. Where
 * `isOutdated` says so in the end, somebody has written the file in between, and that stays.
 */
export async function replaceFile(
  disk: Disk,
  path: string,
  text: string,
  isOutdated: () => boolean = () => false,
): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = disk.open(temporary, 'create');
  try {
    file.truncateSync(0);
    file.writeSync(Buffer.from(text), 0);
    await file.sync();
  } finally {
    file.close();
  }
  if (!isOutdated()) disk.rename(temporary, path);
}

export interface PartitionOffset {
  topic: string;
  partition: number;
  offset: number;
}

/** A file of offsets by partition; the keys of the result are folder names (TOPIC-N). An absent file is an empty one. */
export function readOffsetCheckpoint(disk: Disk, path: string): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const [topic, partition, offset] of readCheckpoint(disk, path, 3) ?? []) {
    offsets.set(`${topic}-${wholeNumber(path, partition)}`, wholeNumber(path, offset));
  }
  return offsets;
}

export function offsetCheckpointText(entries: Iterable<PartitionOffset>): string {
  const lines: string[] = [];
  for (const { topic, partition, offset } of entries) lines.push(`${topic} ${partition} ${offset}`);
  return checkpointText(lines);
}

export function wholeNumber(path: string, text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new MalformedCheckpoint(path, `not a number: ${text}`);
  return value;
}

/** The clean shutdown marker (KIP-966): the epoch of the broker that wrote it, -1 when it does not say; null without marker. */
export function readCleanShutdown(disk: Disk, dir: string): { brokerEpoch: number } | null {
  const bytes = disk.readFile(`${dir}/${CLEAN_SHUTDOWN_FILE}`);
  if (bytes === null) return null;
  const found = /"brokerEpoch"\s*:\s*(\d+)/.exec(bytes.toString('utf8'));
  return { brokerEpoch: found === null ? -1 : Number(found[1]) };
}

export function writeCleanShutdown(disk: Disk, dir: string, brokerEpoch: number, durable: boolean): void {
  disk.writeFile(`${dir}/${CLEAN_SHUTDOWN_FILE}`, `{"version":0,"brokerEpoch":${brokerEpoch}}`, { durable });
}
