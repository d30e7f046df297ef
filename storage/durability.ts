/** How far a log is on disk for good, and the flushes that move this point. */
import { replaceFile } from './checkpoints.ts';
import { type Disk, DiskError } from './disk.ts';
import type { PooledFile } from './file-pool.ts';
import { LogError } from './log-error.ts';
import type { StorageLogger } from './logger.ts';
import type { SegmentList } from './segment-list.ts';

export interface DurabilityOptions {
  disk: Disk;
  dir: string;
  segments: SegmentList;
  recoveryPoint: number;
  nowMs: () => number;
  logger: StorageLogger;
  /** The file of what a recovery from a later recovery point on would not find again, if it has changed. */
  takeDerived: () => { path: string; text: string } | null;
  onDiskError: ((error: DiskError) => void) | undefined;
}

export class Durability {
  readonly #options: DurabilityOptions;
  #recoveryPoint: number;
  #lastFlushMs: number;
  /** Counts truncations; a flush that was under way at one says nothing about the log after it. */
  #truncations = 0;
  /** Segments have been made whose names may not be on disk. */
  #dirChanged = false;
  #names: Promise<void> = Promise.resolve();
  #failure: LogError | null = null;
  #abandoned = false;
  /** No more appends come: indexes of the last segment count too. */
  #settled = false;

  constructor(options: DurabilityOptions) {
    this.#options = options;
    this.#recoveryPoint = options.recoveryPoint;
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

  segmentStarted(): void {
    this.#dirChanged = true;
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
    this.#recoveryPoint = Math.min(this.#recoveryPoint, logEndOffset);
  }

  /** All was given to the operating system, and that has to do. */
  trustPageCache(logEndOffset: number): void {
    this.#recoveryPoint = logEndOffset;
  }

  async flush(upTo: number): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (upTo <= this.#recoveryPoint) return;
    const truncations = this.#truncations;
    try {
      // All begin now, before anybody can close a file.
      await Promise.all([...this.#files(upTo).map((file) => file.handle.sync()), this.#flushNames()]);
    } catch (cause) {
      throw this.fail(cause, 'flush');
    }
    if (truncations === this.#truncations) this.#flushed(upTo);
  }

  /** One after the other: who finds nothing to do still waits for who was before him. */
  #flushNames(): Promise<void> {
    this.#names = this.#names.then(() => this.#flushNamesNow());
    return this.#names;
  }

  async #flushNamesNow(): Promise<void> {
    const { disk, dir } = this.#options;
    const derived = this.#options.takeDerived();
    const isNeeded = this.#dirChanged || derived !== null;
    this.#dirChanged = false;
    if (derived !== null) await replaceFile(disk, derived.path, derived.text);
    if (isNeeded) await disk.syncDirAsync(dir);
  }

  flushSync(upTo: number): void {
    if (this.#failure !== null) throw this.#failure;
    if (upTo <= this.#recoveryPoint) return;
    try {
      for (const file of this.#files(upTo)) file.handle.syncSync();
      const derived = this.#options.takeDerived();
      if (derived !== null) this.#options.disk.writeFile(derived.path, derived.text);
      if (this.#dirChanged) this.#options.disk.syncDir(this.#options.dir);
      this.#dirChanged = false;
    } catch (cause) {
      throw this.fail(cause, 'flush');
    }
    this.#flushed(upTo);
  }

  /** Makes files durable that were written as a whole without that, and their names. */
  async syncFiles(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const { disk, dir } = this.#options;
    const syncs = paths.map((path) => {
      const file = disk.open(path, 'existing');
      return file.sync().finally(() => file.close());
    });
    await Promise.all([...syncs, disk.syncDirAsync(dir)]);
  }

  #files(upTo: number): PooledFile[] {
    const { segments } = this.#options;
    const files: PooledFile[] = [];
    for (let i = segments.indexOf(this.#recoveryPoint); i < segments.all.length; i++) {
      const segment = segments.all[i];
      if (segment.baseOffset >= upTo) break;
      files.push(...segment.durableFiles(this.#settled || segment !== segments.active));
    }
    return files;
  }

  #flushed(upTo: number): void {
    this.#recoveryPoint = Math.max(this.#recoveryPoint, upTo);
    this.#lastFlushMs = this.#options.nowMs();
  }
}
