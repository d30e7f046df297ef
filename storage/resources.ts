/** What the logs of a node share: the disk, and the bounds on open files and on memory. */
import type { Disk } from './disk.ts';
import { FilePool } from './file-pool.ts';
import type { StorageLogger } from './logger.ts';
import { TailBudget } from './tail.ts';

/** Within the 1,024 descriptors that a process has where nobody raised the limit. */
const DEFAULT_OPEN_FILES = 768;
const DEFAULT_TAIL_BYTES = 33_554_432;

export interface ResourceLimits {
  /** Files of logs open at a time. */
  maxOpenFiles?: number;
  /** Memory for the newest bytes of logs that are being tailed. */
  maxTailBytes?: number;
}

export class LogResources {
  readonly disk: Disk;
  readonly files: FilePool;
  readonly tails: TailBudget;
  readonly deletions: DeletionQueue;

  constructor(disk: Disk, limits: ResourceLimits = {}) {
    this.disk = disk;
    this.files = new FilePool(disk, limits.maxOpenFiles ?? DEFAULT_OPEN_FILES);
    this.tails = new TailBudget(limits.maxTailBytes ?? DEFAULT_TAIL_BYTES);
    this.deletions = new DeletionQueue(disk);
  }
}

/**
 * Files and folders that have been renamed for deletion and wait for file.delete.delay.ms to pass. What is still waiting when the process
 * ends is found by its name at the next start.
 */
export class DeletionQueue {
  readonly #disk: Disk;
  #waiting: { path: string; dueMs: number }[] = [];

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(path: string, dueMs: number): void {
    this.#waiting.push({ path, dueMs });
  }

  /** Deletes what is due; a failure is logged and not tried again before the next start. */
  async run(nowMs: number, logger: StorageLogger): Promise<void> {
    const due = this.#waiting.filter((entry) => entry.dueMs <= nowMs);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((entry) => entry.dueMs > nowMs);
    for (const { path } of due) {
      try {
        await this.#disk.removeAsync(path);
      } catch (error) {
        logger.warn({ path, err: error }, 'could not delete');
      }
    }
  }
}
