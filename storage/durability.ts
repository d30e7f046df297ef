/** How far a log is on disk for good, and the flushes that move this point. */
import { dirname } from 'node:path/posix';
import { replaceFile } from './checkpoints.ts';
import { type Disk, DiskError } from './disk.ts';
import type { PooledFile } from './file-pool.ts';
import { LogError } from './log-error.ts';
import type { StorageLogger } from './logger.ts';
import { PARTITION_METADATA_FILE } from './partition-metadata.ts';
import type { ProducerSnapshots, UnsyncedSnapshot } from './producer-snapshot.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';

export interface DurabilityOptions {
  disk: Disk;
  dir: string;
  segments: SegmentList;
  /** A recovery from a later recovery point on begins with one of them; the batches that it was made from may be deleted by then. */
  snapshots: ProducerSnapshots;
  recoveryPoint: number;
  /** After a clean shutdown: nothing was recovered. */
  isClean: boolean;
  /** The names in the folder, and that of the folder itself, are on disk for good: an orderly end left them so. */
  namesAreDurable: boolean;
  nowMs: () => number;
  logger: StorageLogger;
  /** The file of what a recovery from a later recovery point on would not find again, if it has changed. */
  takeDerived: () => DerivedFile | null;
  onDiskError: ((error: DiskError) => void) | undefined;
  onFlushed: (() => void) | undefined;
}

interface DerivedFile {
  path: string;
  text: string;
}

export class Durability {
  readonly #options: DurabilityOptions;
  #recoveryPoint: number;
  #lastFlushMs: number;
  /** Counts truncations; a flush that was under way at one says nothing about the log after it. */
  #truncations = 0;
  /** A recovery, a truncation or a roll changed files from the recovery point on, which may be the log end: a flush has work to do all the same. */
  #isRewritten: boolean;
  /** How often names have changed in the folder, and how many of these changes are on disk for good. */
  #nameChanges: number;
  #durableNameChanges = 0;
  /** The folder's own name and partition.metadata, which are written once, may not be on disk. */
  #isNew: boolean;
  /** Taken from its owner, not on disk yet. */
  #derived: DerivedFile | null = null;
  #names: Promise<void> = Promise.resolve();
  #flushes: Promise<unknown> = Promise.resolve();
  #failure: LogError | null = null;
  #abandoned = false;
  /** No more appends come: indexes of the last segment count too. */
  #settled = false;

  constructor(options: DurabilityOptions) {
    this.#options = options;
    this.#recoveryPoint = options.recoveryPoint;
    this.#isNew = !options.namesAreDurable;
    this.#isRewritten = !options.isClean;
    this.#nameChanges = options.namesAreDurable ? 0 : 1;
    this.#lastFlushMs = options.nowMs();
  }

  get recoveryPoint(): number {
    return this.#recoveryPoint;
  }

  get truncations(): number {
    return this.#truncations;
  }

  get lastFlushMs(): number {
    return this.#lastFlushMs;
  }

  /** Set when what memory says of the log and what the disk holds may differ for good: then nothing more is taken. */
  get failure(): LogError | null {
    return this.#failure;
  }

  fail(cause: unknown, action: string): LogError {
    const { dir, logger, onDiskError } = this.#options;
    if (cause instanceof DiskError && !this.#abandoned) onDiskError?.(cause);
    const text = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new LogError('KAFKA_STORAGE_ERROR', `${action} in ${dir} failed: ${text}`, cause);
    if (!this.#abandoned) logger.error({ dir, err: cause }, 'the log has failed and takes no more appends');
    return this.#failure;
  }

  /** Also where a roll does not get any further. */
  indexesWritten(): void {
    this.#isRewritten = true;
  }

  /** The active segment takes no more and its indexes are written; where the recovery point has reached its end, nobody else syncs them. */
  segmentFinished(segment: Segment, endOffset: number): void {
    if (this.#recoveryPoint < endOffset) return;
    try {
      for (const file of segment.durableFiles(true)) this.#noteName(file).handle.syncSync();
    } catch (cause) {
      // Tried again, it would succeed with what was to be written lost.
      throw this.fail(cause, 'flush');
    }
  }

  segmentStarted(): void {
    this.#nameChanges += 1;
  }

  /** Nobody uses the log any more; a flush that is under way may fail. */
  abandoned(): void {
    this.#abandoned = true;
  }

  settled(): void {
    this.#settled = true;
  }

  truncated(logEndOffset: number): void {
    this.#truncations += 1;
    this.#isRewritten = true;
    this.#nameChanges += 1;
    this.#recoveryPoint = Math.min(this.#recoveryPoint, logEndOffset);
  }

  /** The truncation did not come to pass: the recovery point is where the checkpoint has it. */
  notTruncated(recoveryPoint: number): void {
    this.#recoveryPoint = recoveryPoint;
  }

  /** All was given to the operating system, and that has to do. */
  trustPageCache(logEndOffset: number): void {
    this.#recoveryPoint = logEndOffset;
  }

  async flush(upTo: number): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (upTo <= this.#recoveryPoint && !this.#isRewritten) return;
    const truncations = this.#truncations;
    const from = this.#recoveryPoint;
    const { active } = this.#options.segments;
    // The kernel tells of a failed write once: one sync fails, and the next of the same file succeeds. So each waits for those before.
    this.#flushes = Promise.all([this.#flushes, this.#sync(upTo)]);
    try {
      await this.#flushes;
    } catch (cause) {
      this.#recoveryPoint = Math.min(this.#recoveryPoint, from);
      throw this.#failure ?? this.fail(cause, 'flush');
    }
    // A flush that did not wait has failed meanwhile, on what this one had taken.
    if (this.#failure !== null) throw this.#failure;
    if (truncations !== this.#truncations) return;
    // Indexes of a segment that was rolled meanwhile are with the flush that the roll began.
    const isRolled = active !== this.#options.segments.active;
    this.#flushed(isRolled ? Math.min(upTo, active.baseOffset) : upTo);
  }

  /** All begin now, before anybody can close a file; one that cannot be opened does not keep the others from being waited for. */
  async #sync(upTo: number): Promise<void> {
    const files = this.#files(upTo).map(async (file) => file.handle.sync());
    const snapshots = this.#snapshots(upTo).map(async (snapshot) => {
      await this.#syncFile(snapshot.path);
      this.#options.snapshots.synced(snapshot);
    });
    await Promise.all([...files, ...snapshots, this.#flushNames()]);
  }

  #snapshots(upTo: number): UnsyncedSnapshot[] {
    // The files may be those of a log opened in the place of one that was given up.
    return this.#abandoned ? [] : this.#options.snapshots.unsynced(upTo);
  }

  /**
   * Segments below `offset` are about to go, one after the other: of the producers of those that are gone nothing tells then but the snapshot of
   * the first one that is left.
   */
  keepProducersBelow(offset: number): void {
    try {
      this.#syncSnapshotsNow(offset);
    } catch (cause) {
      throw this.fail(cause, 'flush');
    }
  }

  #syncSnapshotsNow(upTo: number): void {
    for (const snapshot of this.#snapshots(upTo)) {
      this.#syncFileNow(snapshot.path);
      this.#options.snapshots.synced(snapshot);
    }
  }

  async #syncFile(path: string): Promise<void> {
    const file = this.#options.disk.open(path, 'existing');
    await file.sync().finally(() => file.close());
  }

  #syncFileNow(path: string): void {
    const file = this.#options.disk.open(path, 'existing');
    try {
      file.syncSync();
    } finally {
      file.close();
    }
  }

  /** One after the other: who finds nothing to do still waits for who was before him. */
  #flushNames(): Promise<void> {
    this.#names = this.#names.then(() => this.#flushNamesNow());
    return this.#names;
  }

  async #flushNamesNow(): Promise<void> {
    const { disk, dir } = this.#options;
    // The file may be that of a log opened in the place of one that was given up.
    const derived = this.#abandoned ? null : this.#takeDerived();
    if (derived !== null) {
      await replaceFile(disk, derived.path, derived.text, () => this.#derived !== derived || this.#abandoned);
      if (this.#derived === derived) this.#derived = null;
      this.#nameChanges += 1;
    }
    if (this.#isNew) await Promise.all([this.#syncMetadata(), disk.syncDirAsync(dirname(dir))]);
    this.#isNew = false;
    const changes = this.#nameChanges;
    if (changes > this.#durableNameChanges) await disk.syncDirAsync(dir);
    this.#durableNameChanges = Math.max(this.#durableNameChanges, changes);
  }

  /** What is to be written now: also what a flush under way has taken and may not have written. */
  #takeDerived(): DerivedFile | null {
    this.#derived = this.#options.takeDerived() ?? this.#derived;
    return this.#derived;
  }

  async #syncMetadata(): Promise<void> {
    const path = this.#metadataPath();
    if (path !== null) await this.#syncFile(path);
  }

  #metadataPath(): string | null {
    const { disk, dir } = this.#options;
    const path = `${dir}/${PARTITION_METADATA_FILE}`;
    return disk.exists(path) ? path : null;
  }

  flushSync(upTo: number): void {
    if (this.#failure !== null) throw this.#failure;
    if (upTo <= this.#recoveryPoint && !this.#isRewritten) return;
    try {
      for (const file of this.#files(upTo)) file.handle.syncSync();
      this.#syncSnapshotsNow(upTo);
      this.#flushNamesSync();
    } catch (cause) {
      throw this.fail(cause, 'flush');
    }
    this.#flushed(upTo);
  }

  #flushNamesSync(): void {
    const { disk, dir } = this.#options;
    const derived = this.#takeDerived();
    // A flush under way must not put its file, which this may leave half written, in the place of the other.
    this.#derived = null;
    if (derived !== null) disk.writeFile(derived.path, derived.text);
    if (this.#isNew) {
      const metadata = this.#metadataPath();
      if (metadata !== null) this.#syncFileNow(metadata);
      disk.syncDir(dirname(dir));
    }
    this.#isNew = false;
    if (this.#nameChanges > this.#durableNameChanges) disk.syncDir(dir);
    this.#durableNameChanges = this.#nameChanges;
  }

  /** Makes files durable that were written without that, and their names. */
  async syncFiles(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const { disk, dir } = this.#options;
    await Promise.all([...paths.map((path) => this.#syncFile(path)), disk.syncDirAsync(dir)]);
  }

  #files(upTo: number): PooledFile[] {
    const { segments } = this.#options;
    const files: PooledFile[] = [];
    for (let i = segments.indexOf(this.#recoveryPoint); i < segments.all.length; i++) {
      const segment = segments.all[i];
      if (segment.baseOffset >= upTo && !this.#isRewritten) break;
      const withIndexes = this.#settled || this.#isRewritten || segment !== segments.active;
      files.push(...segment.durableFiles(withIndexes));
    }
    for (const file of files) this.#noteName(file);
    return files;
  }

  #noteName(file: PooledFile): PooledFile {
    if (file.takeCreated()) this.#nameChanges += 1;
    return file;
  }

  #flushed(upTo: number): void {
    this.#isRewritten = false;
    this.#recoveryPoint = Math.max(this.#recoveryPoint, upTo);
    this.#lastFlushMs = this.#options.nowMs();
    this.#options.onFlushed?.();
  }
}
