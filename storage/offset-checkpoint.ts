/** One checkpoint of a data directory with an offset by partition: of open logs as it is now, of the others as at the start. */
import type { CheckpointWriter } from './checkpoint-writer.ts';
import { offsetCheckpointText, type PartitionOffset } from './checkpoints.ts';
import type { Log } from './log.ts';
import { parsePartitionDirName } from './names.ts';

export interface OffsetCheckpointOptions {
  readonly file: string;
  readonly writer: CheckpointWriter;
  logs(): Iterable<Log>;
  /** Names of the folders whose logs nobody has opened. */
  unclaimed(): Iterable<string>;
  /** Null: no entry. */
  offsetOf(log: Log): number | null;
}

export class OffsetCheckpoint {
  readonly #options: OffsetCheckpointOptions;
  /** By folder name. */
  readonly #before: Map<string, number>;

  constructor(options: OffsetCheckpointOptions) {
    this.#options = options;
    this.#before = options.writer.read(options.file);
  }

  /** What the file said at the start, of a folder that has been there since. */
  get(name: string): number | undefined {
    return this.#before.get(name);
  }

  /** By folder name. */
  entries(): Iterable<[string, number]> {
    return [...this.#before];
  }

  /** The folder is gone. */
  delete(name: string): void {
    this.#before.delete(name);
  }

  write(durable: boolean): Promise<void> {
    return this.#options.writer.write(this.#options.file, () => this.#text(), durable);
  }

  /** As `write`, where there are entries or there is a file. */
  async writeIfUsed(durable: boolean): Promise<void> {
    if (this.#isUsed()) await this.write(durable);
  }

  /** For CheckpointWriter.writeNow. */
  content(): readonly [file: string, text: string] {
    return [this.#options.file, this.#text()];
  }

  /** As `content`, where there are entries or there is a file. */
  contentIfUsed(): (readonly [file: string, text: string])[] {
    return this.#isUsed() ? [this.content()] : [];
  }

  #isUsed(): boolean {
    const { file, writer } = this.#options;
    return writer.exists(file) || !this.#offsets().next().done;
  }

  #text(): string {
    return offsetCheckpointText(this.#offsets());
  }

  *#offsets(): Generator<PartitionOffset> {
    const { logs, unclaimed, offsetOf } = this.#options;
    for (const name of unclaimed()) {
      const offset = this.#before.get(name);
      const parsed = parsePartitionDirName(name);
      if (offset !== undefined && parsed !== null) yield { ...parsed, offset };
    }
    for (const log of logs()) {
      const offset = offsetOf(log);
      if (offset !== null) yield { topic: log.topic, partition: log.partition, offset };
    }
  }
}
