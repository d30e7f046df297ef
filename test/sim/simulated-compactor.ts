/** The cleaner of one process: it goes on whenever the disk does, beside all else. */
import { type Disk, type Log, LogCleaner } from '../../storage/index.ts';
import { SILENT_LOGGER } from '../../storage/logger.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { CompactedModel } from './compacted-model.ts';
import type { PartitionModel } from './partition-model.ts';

interface Compacted {
  readonly log: Log;
  /** By default the log end. */
  readonly highWatermark?: number;
  readonly model?: PartitionModel;
}

export interface SimulatedCompactorOptions {
  readonly disk: Disk;
  readonly random: SeededRandom;
  readonly clock: { nowMs(): number };
  /** Those whose log has not failed. */
  compacted(): readonly Compacted[];
  checkpointRecoveryPoint(): Promise<void>;
  checkpoint(): Promise<void>;
}

/** Work that was begun and waits for nothing but its turn has had it. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class SimulatedCompactor {
  readonly #cleaner: LogCleaner;
  #running: Promise<void> | null = null;

  constructor(options: SimulatedCompactorOptions) {
    const { disk, random, clock, compacted, checkpointRecoveryPoint, checkpoint } = options;
    this.#cleaner = new LogCleaner({
      disk,
      clock,
      logger: SILENT_LOGGER,
      startThread: null,
      secret: [1, 2, 3, 4],
      ports: { monotonicMs: () => 0, yieldLoop: async () => {}, sleep: async () => {} },
      config: () => ({
        dedupeBufferBytes: 24 * (2 + random.int(20)),
        dedupeBufferLoadFactor: 0.9,
        ioBufferBytes: 200 + random.int(2000),
        maxBytesPerSecond: Number.MAX_VALUE,
      }),
      candidates: () => compacted().map(candidate),
      checkpointRecoveryPoint,
      onCleaned: checkpoint,
      onDiskError: () => {},
    });
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Unless it runs already; it waits for the disk only. */
  start(): void {
    this.#running ??= this.#cleaner.run().finally(() => {
      this.#running = null;
    });
  }

  /** Lets it come to its end; `finishDisk` has the disk do what it has under way. */
  async finish(finishDisk: () => Promise<void>): Promise<void> {
    while (this.#running !== null) {
      await finishDisk();
      await settled();
    }
  }

  async stop(finishDisk: () => Promise<void>): Promise<void> {
    const stopped = this.#cleaner.stop();
    await this.finish(finishDisk);
    await stopped;
  }
}

function candidate({ log, model, highWatermark = log.logEndOffset }: Compacted) {
  if (model instanceof CompactedModel) model.compacting(log);
  return { log, lastStableOffset: Math.min(log.firstUnstableOffset ?? highWatermark, highWatermark), highWatermark };
}
