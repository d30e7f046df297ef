/**
 * Compacts the logs of a node, the dirtiest first, one at a time (Kafka: LogCleaner). What it needs of the world comes in as ports: it
 * has no timer of its own.
 */
import { type Candidate, type CleanableSection, cleanableSection, isDue } from './cleanable.ts';
import { type CompactionResult, compactLog } from './compaction/compact.ts';
import type { HashSecret } from './compaction/key-hash.ts';
import { Pacer, type PacerPorts } from './compaction/pacer.ts';
import { CompactionWork } from './compaction/work.ts';
import { CompactionAborted, type StartWorker } from './compaction/worker.ts';
import { type Disk, DiskError } from './disk.ts';
import type { Log } from './log.ts';
import type { StorageClock } from './log-options.ts';
import type { StorageLogger } from './logger.ts';

/** Settings of a broker, under Kafka's names without `log.cleaner`. */
export interface CleanerConfig {
  /** A bound on the memory for keys. */
  readonly dedupeBufferBytes: number;
  /** How full that memory may get, 0 to 1. */
  readonly dedupeBufferLoadFactor: number;
  /** Half of it is a window through which files are read. */
  readonly ioBufferBytes: number;
  /** Read and written together. */
  readonly maxBytesPerSecond: number;
}

export interface CleanerOptions {
  readonly disk: Disk;
  readonly clock: StorageClock;
  readonly ports: PacerPorts;
  readonly secret: HashSecret;
  readonly logger: StorageLogger;
  /** For compactions that are not small; null: all are done in this thread, in slices. */
  readonly startThread: StartWorker | null;
  config(): CleanerConfig;
  /** The compacted logs as they are now. */
  candidates(): Iterable<Candidate>;
  /** Makes durable what the checkpoint says of the log's recovery point. */
  checkpointRecoveryPoint(log: Log): Promise<void>;
  /** Called when `cleanedUpTo` of a log has changed. */
  onCleaned(log: Log): Promise<void>;
  /** Told of errors of the disk, a full one aside, that the log itself has not met: its directory may have failed. */
  onDiskError(log: Log, error: DiskError): void;
}

/** To start a thread takes longer, and more of the processor, than to compact so little in slices. */
const SMALL_BYTES = 8_388_608;

interface Choice {
  readonly log: Log;
  readonly section: CleanableSection;
}

export class LogCleaner {
  readonly #options: CleanerOptions;
  readonly #workHere: StartWorker;
  /** Compacting them has failed for a reason that will not go away; appends and reads go on. */
  readonly #uncleanable = new WeakSet<Log>();
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(options: CleanerOptions) {
    this.#options = options;
    const pacer = new Pacer(options.ports, () => options.config().maxBytesPerSecond);
    this.#workHere = (settings, control) => new CompactionWork(options.disk, settings, control, pacer);
  }

  /** Compacts until no log needs it, then deletes what retention lets go of compacted logs; to be called now and then. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Resolves when nothing is being compacted any more; what was begun is given up. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  isUncleanable(log: Log): boolean {
    return this.#uncleanable.has(log);
  }

  async #run(): Promise<void> {
    const failed = new Set<Log>();
    while (!this.#stopped) {
      const choice = this.#choose(failed);
      if (choice === null) break;
      if (!(await this.#clean(choice))) failed.add(choice.log);
    }
    this.#deleteOldSegments();
  }

  /** The log with the largest part of dirty bytes, or null. */
  #choose(failed: ReadonlySet<Log>): Choice | null {
    const nowMs = this.#options.clock.nowMs();
    let best: Choice | null = null;
    for (const candidate of this.#options.candidates()) {
      const { log } = candidate;
      if (failed.has(log) || this.#uncleanable.has(log) || log.isCleaningPaused) continue;
      const section = this.#sectionOf(candidate, nowMs);
      if (section === null || !isDue(section, log)) continue;
      if (best === null || section.dirtyRatio > best.section.dirtyRatio) best = { log, section };
    }
    return best;
  }

  #sectionOf(candidate: Candidate, nowMs: number): CleanableSection | null {
    try {
      return cleanableSection(candidate, nowMs);
    } catch (error) {
      this.#giveUp(candidate.log, error);
      return null;
    }
  }

  /** False when the log is to be left alone until the next run. */
  async #clean({ log, section }: Choice): Promise<boolean> {
    const { dir } = log;
    try {
      const startMs = this.#options.ports.monotonicMs();
      const result = await this.#compact(log, section);
      log.cleanedUpTo = result.endOffset;
      this.#logResult(dir, section, result, this.#options.ports.monotonicMs() - startMs);
      await this.#options.onCleaned(log);
      return true;
    } catch (error) {
      if (error instanceof CompactionAborted) {
        this.#options.logger.debug({ dir }, 'compaction given up: the log has changed, moves or closes');
      } else if (error instanceof DiskError && error.isShortage) {
        this.#options.logger.error(
          { dir, err: error },
          'compaction failed for want of space or descriptors; it will be tried again',
        );
      } else {
        this.#giveUp(log, error);
      }
      return false;
    }
  }

  #giveUp(log: Log, error: unknown): void {
    this.#uncleanable.add(log);
    if (error instanceof DiskError) this.#options.onDiskError(log, error);
    const text = 'compaction failed; the partition is not compacted any more until the broker starts again';
    this.#options.logger.error({ dir: log.dir, err: error }, text);
  }

  #compact(log: Log, section: CleanableSection): Promise<CompactionResult> {
    const { clock, secret, startThread } = this.#options;
    const config = this.#options.config();
    const { firstDirtyOffset, firstUncleanableOffset, totalBytes } = section;
    const isSmall = totalBytes < SMALL_BYTES;
    return compactLog({
      log,
      firstDirtyOffset,
      firstUncleanableOffset,
      nowMs: clock.nowMs(),
      mapBytes: config.dedupeBufferBytes,
      mapLoadFactor: config.dedupeBufferLoadFactor,
      windowBytes: Math.floor(config.ioBufferBytes / 2),
      secret,
      startWorker: startThread === null || isSmall ? this.#workHere : startThread,
      maxBytesPerSecond: () => this.#options.config().maxBytesPerSecond,
      checkpointRecoveryPoint: () => this.#options.checkpointRecoveryPoint(log),
      isStopped: () => this.#stopped,
    });
  }

  #logResult(dir: string, section: CleanableSection, result: CompactionResult, tookMs: number): void {
    const { firstDirtyOffset } = section;
    this.#options.logger.info({ dir, firstDirtyOffset, ...result, tookMs: Math.round(tookMs) }, 'log compacted');
  }

  /** Here, and not where other logs are looked through, so that no segment goes while it is being compacted. */
  #deleteOldSegments(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { log, highWatermark } of this.#options.candidates()) {
      if (this.#stopped || this.#uncleanable.has(log)) continue;
      try {
        log.deleteOldSegments(nowMs, highWatermark);
      } catch (error) {
        this.#giveUp(log, error);
      }
    }
  }
}
