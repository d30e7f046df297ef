/**
 * The parts of one log and what keeps them together. `Log` is what others see of it; changes of several parts have a file each
 * (truncation.ts, deletion.ts, closing.ts) and work on the state, too.
 */
import { DiskError } from './disk.ts';
import { Durability } from './durability.ts';
import { loadEpochs } from './epoch-recovery.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import { LogError } from './log-error.ts';
import type { LogOptions, StorageClock } from './log-options.ts';
import { SILENT_LOGGER, type StorageLogger } from './logger.ts';
import { ProducerTracker } from './producer-tracker.ts';
import type { LoadedLog } from './recovery.ts';
import type { LogResources } from './resources.ts';
import type { Segment } from './segment.ts';
import { SegmentList } from './segment-list.ts';

export class LogState {
  readonly dir: string;
  readonly resources: LogResources;
  readonly clock: StorageClock;
  readonly logger: StorageLogger;
  readonly segments: SegmentList;
  readonly producers: ProducerTracker;
  readonly durability: Durability;
  /** See LogOptions. */
  readonly recoveryPointChanged: () => void;
  config: LogConfig;
  logStartOffset: number;
  logEndOffset: number;
  /** All below has been compacted (cleaner-offset-checkpoint); null: it never was. */
  cleanedUpTo: number | null;
  isClosed = false;
  readonly #onDiskError: ((error: DiskError) => void) | undefined;
  #beforeFirstChange: (() => void) | null;
  /** Read when first needed: most partitions are idle. */
  #epochs: LeaderEpochs | null;
  readonly #hasEpochFile: boolean;

  constructor(options: LogOptions, resources: LogResources, loaded: LoadedLog) {
    this.dir = options.dir;
    this.resources = resources;
    this.clock = options.clock;
    this.logger = options.logger ?? SILENT_LOGGER;
    this.config = options.config;
    this.segments = new SegmentList(resources, options.dir, loaded.segments);
    this.logStartOffset = loaded.logStartOffset;
    this.logEndOffset = loaded.logEndOffset;
    this.cleanedUpTo = options.cleanedUpTo ?? null;
    this.recoveryPointChanged = options.recoveryPointChanged ?? (() => {});
    this.#onDiskError = options.onDiskError;
    this.#beforeFirstChange = options.beforeFirstChange ?? null;
    this.#epochs = loaded.epochs;
    this.#hasEpochFile = loaded.hasEpochFile;
    this.producers = this.#newTracker(loaded);
    this.durability = this.#newDurability(options, loaded);
  }

  #newTracker(loaded: LoadedLog): ProducerTracker {
    return new ProducerTracker(loaded.snapshots, loaded.producers, () => ({
      segments: this.segments.all,
      logStartOffset: this.logStartOffset,
      logEndOffset: this.logEndOffset,
      producerIdExpirationMs: this.config.producerIdExpirationMs,
      nowMs: this.nowMs(),
    }));
  }

  #newDurability(options: LogOptions, loaded: LoadedLog): Durability {
    return new Durability({
      disk: this.resources.disk,
      dir: this.dir,
      segments: this.segments,
      snapshots: loaded.snapshots,
      recoveryPoint: loaded.recoveryPoint,
      isClean: options.clean,
      namesAreDurable: options.clean && loaded.recoveryPoint > 0,
      nowMs: this.nowMs,
      logger: this.logger,
      takeDerived: () => this.takeEpochsChange(),
      onDiskError: options.onDiskError,
      onFlushed: options.onFlushed,
    });
  }

  readonly nowMs = (): number => this.clock.nowMs();

  get epochs(): LeaderEpochs {
    if (this.#epochs === null) {
      const { disk } = this.resources;
      const [hasEpochFile, segments] = [this.#hasEpochFile, this.segments.all];
      this.#epochs = loadEpochs({ disk, dir: this.dir, hasEpochFile, segments, logger: this.logger });
      this.#epochs.truncateFromEnd(this.logEndOffset);
      this.#epochs.truncateFromStart(this.logStartOffset);
    }
    return this.#epochs;
  }

  /** leader-epoch-checkpoint as it is to be written, if it has changed; taken as written. */
  takeEpochsChange(): { path: string; text: string } | null {
    return this.#epochs?.takeChange(this.logEndOffset) ?? null;
  }

  /** To be called before each change. Throws LogError where the log has failed or is closed. */
  checkUsable(): void {
    if (this.durability.failure !== null) throw this.durability.failure;
    if (this.isClosed) throw new LogError('KAFKA_STORAGE_ERROR', `${this.dir} is closed`);
    if (this.#beforeFirstChange === null) return;
    this.#beforeFirstChange();
    this.#beforeFirstChange = null;
  }

  /** Begins a new segment at `offset`, the log end but where a follower leaves more offsets out than a segment can have. */
  roll(offset: number): void {
    const { active } = this.segments;
    if (active.finish()) this.durability.indexesWritten();
    this.durability.segmentFinished(active, offset);
    // Where the recovery point has got there already, no flush looks at it again.
    const isDurable = this.durability.recoveryPoint >= offset;
    if (active.baseOffset !== offset) this.producers.writeSnapshot(offset, isDurable);
    this.startSegment(offset);
    // A failure is kept and refuses the next append.
    this.durability.flush(offset).catch(() => {});
  }

  startSegment(offset: number): void {
    this.segments.start(offset, this.nowMs());
    this.durability.segmentStarted();
  }

  /** Renames the files of segments that are out of the list, and has them deleted after file.delete.delay.ms. */
  discard(segments: readonly Segment[], nowMs: number): void {
    const dueMs = nowMs + this.config.fileDeleteDelayMs;
    for (const segment of segments) {
      for (const path of segment.markDeleted()) this.resources.deletions.add(path, dueMs);
      this.producers.removeSnapshot(segment.baseOffset);
    }
  }

  /** A change of several files, which only a recovery can put right when it fails half-way. */
  change(action: string, change: () => void): void {
    try {
      change();
    } catch (cause) {
      throw this.durability.fail(cause, action);
    }
  }

  /** What a caller is told of an error that has left the log as it was. */
  storageError(action: string, cause: unknown): LogError {
    if (cause instanceof LogError) return cause;
    if (!(cause instanceof DiskError)) throw cause;
    this.#onDiskError?.(cause);
    return new LogError('KAFKA_STORAGE_ERROR', `${action} in ${this.dir} failed: ${cause.message}`, cause);
  }
}
