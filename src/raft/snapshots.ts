/** The snapshots in the folder of the metadata log: which there are, the newest that can be read, new ones, and which the log may begin behind. */
import { MalformedError } from '../../protocol/malformed.ts';
import type { Disk, StorageLogger } from '../../storage/index.ts';
import {
  DELETED_SUFFIX,
  decodeSnapshot,
  decodeSnapshotTime,
  encodeSnapshot,
  PARTIAL_SUFFIX,
  type SnapshotContent,
  type SnapshotHead,
  type SnapshotId,
  snapshotIdOf,
  snapshotName,
} from './snapshot-file.ts';

/** More than the batch with the header takes, and with the voters of a large quorum. */
const HEAD_BYTES = 16 * 1024;

export interface LoadedSnapshot {
  readonly id: SnapshotId;
  readonly content: SnapshotContent;
}

/** A snapshot that is whole. */
export interface Snapshot extends SnapshotId {
  readonly sizeBytes: number;
  readonly lastContainedLogTimestampMs: number;
}

export interface Retention {
  /** metadata.max.retention.bytes, of log and snapshots together; -1: no limit. */
  readonly retentionBytes: number;
  /** metadata.max.retention.ms; -1: no limit. */
  readonly retentionMs: number;
}

/**
 * The snapshot up to which log and older snapshots may go (KafkaMetadataLog.maybeClean): the oldest goes as long as there is a newer one,
 * and all together are too large or it is too old. Null: none. `snapshots` in order; `logSizeBytes` is without what is below the first.
 */
export function snapshotToBeginAt(
  snapshots: readonly Snapshot[],
  logSizeBytes: number,
  { retentionBytes, retentionMs }: Retention,
  nowMs: number,
): Snapshot | null {
  if (snapshots.length < 2) return null;
  const [oldest, next] = snapshots;
  const totalBytes = snapshots.reduce((sum, { sizeBytes }) => sum + sizeBytes, logSizeBytes);
  const isTooLarge = retentionBytes >= 0 && totalBytes > retentionBytes;
  const isTooOld = retentionMs >= 0 && nowMs - oldest.lastContainedLogTimestampMs > retentionMs;
  return isTooLarge || isTooOld ? next : null;
}

export class Snapshots {
  private readonly disk: Disk;
  private readonly dir: string;
  private list: Snapshot[] = [];

  constructor(disk: Disk, dir: string) {
    this.disk = disk;
    this.dir = dir;
  }

  /** The oldest first. */
  get all(): readonly Snapshot[] {
    return this.list;
  }

  /**
   * Finds the snapshots, removes what is not finished, given up, or older than the log, and gives the content of the newest. A damaged one
   * is no snapshot, which the log is told: the metadata log has to reach back to an older one, or to the beginning.
   */
  load(logStartOffset: number, logger: StorageLogger): LoadedSnapshot | null {
    let newest: LoadedSnapshot | null = null;
    for (const name of this.disk.list(this.dir).reverse()) {
      const path = `${this.dir}/${name}`;
      const id = snapshotIdOf(name);
      const isLeftOver = name.endsWith(PARTIAL_SUFFIX) || name.endsWith(DELETED_SUFFIX);
      if (isLeftOver || (id !== null && id.endOffset < logStartOffset)) this.disk.remove(path);
      else if (id !== null) newest = this.add(id, path, newest, logger);
    }
    this.list.reverse();
    return newest;
  }

  /** Of those behind the newest only the header is read. */
  private add(id: SnapshotId, path: string, newest: LoadedSnapshot | null, logger: StorageLogger) {
    try {
      const loaded = newest ?? { id, content: decodeSnapshot(this.disk.readFile(path) ?? Buffer.alloc(0)) };
      const { sizeBytes, head } = this.headOf(path);
      this.list.push({ ...id, sizeBytes, lastContainedLogTimestampMs: decodeSnapshotTime(head) });
      return loaded;
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      logger.warn({ file: path, err: error }, 'a damaged snapshot of the metadata is left aside');
      return newest;
    }
  }

  private headOf(path: string): { sizeBytes: number; head: Buffer } {
    // Kafka takes the right to write away from a snapshot that is whole
    const file = this.disk.open(path, 'read-only');
    try {
      const buf = Buffer.alloc(HEAD_BYTES);
      return { sizeBytes: file.sizeBytes(), head: buf.subarray(0, file.readSync(buf, 0)) };
    } finally {
      file.close();
    }
  }

  /**
   * Writes a snapshot; it counts when it is on disk as a whole. `pause` lets others run and says whether to go on.
   * @returns false when `pause` ended it; nothing is left then.
   */
  async write(
    id: SnapshotId,
    values: Iterable<Buffer>,
    { pause, ...head }: Omit<SnapshotHead, 'leaderEpoch'> & { pause(): Promise<boolean> },
  ): Promise<boolean> {
    const path = `${this.dir}/${snapshotName(id)}`;
    const partial = path.replace(/\.checkpoint$/, PARTIAL_SUFFIX);
    const sizeBytes = await this.writePartial(
      partial,
      encodeSnapshot(values, { ...head, leaderEpoch: id.leaderEpoch }),
      pause,
    );
    if (sizeBytes === null) return false;
    this.disk.rename(partial, path);
    await this.disk.syncDirAsync(this.dir);
    this.list.push({ ...id, sizeBytes, lastContainedLogTimestampMs: head.lastContainedLogTimestampMs });
    return true;
  }

  /** Size in bytes, all of them on disk; null when `pause` said to stop. A file that is not whole is removed. */
  private async writePartial(
    path: string,
    batches: Iterable<Buffer | null>,
    pause: () => Promise<boolean>,
  ): Promise<number | null> {
    this.disk.remove(path);
    const file = this.disk.open(path, 'create');
    let sizeBytes = 0;
    let isWhole = false;
    try {
      for (const batch of batches) {
        if (batch === null) {
          if (!(await pause())) return null;
        } else {
          file.writeSync(batch, sizeBytes);
          sizeBytes += batch.length;
        }
      }
      await file.sync();
      isWhole = true;
      return sizeBytes;
    } finally {
      file.close();
      if (!isWhole) this.disk.remove(path);
    }
  }

  /** Removes what is older than `first`. */
  async removeBefore(first: SnapshotId): Promise<void> {
    const old = this.list.filter(({ endOffset }) => endOffset < first.endOffset);
    this.list = this.list.filter(({ endOffset }) => endOffset >= first.endOffset);
    for (const id of old) await this.disk.removeAsync(`${this.dir}/${snapshotName(id)}`);
  }
}
