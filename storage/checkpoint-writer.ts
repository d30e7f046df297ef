/**
 * The checkpoint files of a data directory (checkpoints.ts): read at its opening, written while it is open. Writes come one after the other;
 * one that cannot wait makes the one under way outdated.
 */
import { readOffsetCheckpoint, replaceFile } from './checkpoints.ts';
import type { Disk } from './disk.ts';
import type { StorageLogger } from './logger.ts';

export class CheckpointWriter {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #logger: StorageLogger;
  /** By file, what was written last. */
  readonly #written = new Map<string, string>();
  #last: Promise<void> = Promise.resolve();
  #urgentWrites = 0;

  constructor(disk: Disk, dir: string, logger: StorageLogger) {
    this.#disk = disk;
    this.#dir = dir;
    this.#logger = logger;
  }

  /** By folder name (TOPIC-N); empty where the file is not readable. */
  read(file: string): Map<string, number> {
    const path = this.#path(file);
    try {
      return readOffsetCheckpoint(this.#disk, path);
    } catch (error) {
      // As Kafka does: without it more is scanned or compacted, or a log begins at its first segment again.
      this.#logger.warn({ file: path, err: error }, 'checkpoint not readable, taken as empty');
      return new Map();
    }
  }

  exists(file: string): boolean {
    return this.#disk.exists(this.#path(file));
  }

  /** Replaces the file, where `makeText`, asked when its turn has come, gives another text than was written last. */
  write(file: string, makeText: () => string, durable: boolean): Promise<void> {
    const turn = this.#last.then(() => this.#write(file, makeText(), durable));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #write(file: string, text: string, durable: boolean): Promise<void> {
    if (this.#written.get(file) === text) return;
    const path = this.#path(file);
    const urgent = this.#urgentWrites;
    const isOutdated = (): boolean => urgent !== this.#urgentWrites;
    if (durable) {
      await replaceFile(this.#disk, path, text, isOutdated);
      await this.#disk.syncDirAsync(this.#dir);
    } else {
      this.#disk.writeFile(path, text, { durable });
    }
    if (!isOutdated()) this.#written.set(file, text);
  }

  /** At once and durably, and with it the names in the directory. */
  writeNow(texts: readonly (readonly [file: string, text: string])[]): void {
    this.#urgentWrites += 1;
    for (const [file, text] of texts) {
      this.#disk.writeFile(this.#path(file), text);
      this.#written.set(file, text);
    }
  }

  #path(file: string): string {
    return `${this.#dir}/${file}`;
  }
}
