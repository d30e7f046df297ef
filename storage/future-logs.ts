/**
 * Logs on their way into a data directory (KIP-113): TOPIC-N.UNIQUE-future is filled with what the partition's log in another
 * directory holds, and takes its place under the name TOPIC-N once it holds all.
 */
import type { Log } from './log.ts';
import { type MarkedFolders, parseFutureDirName } from './marked-folders.ts';
import { partitionDirName } from './names.ts';

export interface FoundFuture {
  readonly topic: string;
  readonly partition: number;
}

export class FutureLogs {
  readonly #folders: MarkedFolders;
  /** By TOPIC-N: the folder, and its log where that is open. */
  readonly #futures = new Map<string, { name: string; log: Log | null }>();

  /** `names` are those in the data directory; what a move that was broken off left there can go on. */
  constructor(folders: MarkedFolders, names: readonly string[]) {
    this.#folders = folders;
    for (const name of names) {
      const found = parseFutureDirName(name);
      if (found !== null) this.#futures.set(partitionDirName(found.topic, found.partition), { name, log: null });
    }
  }

  get(topic: string, partition: number): Log | null {
    return this.#futures.get(partitionDirName(topic, partition))?.log ?? null;
  }

  /** Folders whose move nobody has taken up again. */
  unopened(): FoundFuture[] {
    return [...this.#futures.values()].flatMap(({ name, log }) => {
      const found = parseFutureDirName(name);
      return log !== null || found === null ? [] : [found];
    });
  }

  /** Opens the partition's future log, or makes one. */
  open(topic: string, partition: number, open: (name: string) => Log): Log {
    const key = partitionDirName(topic, partition);
    const known = this.#futures.get(key) ?? { name: this.#folders.newFutureName(topic, partition), log: null };
    known.log ??= open(known.name);
    this.#futures.set(key, known);
    return known.log;
  }

  /** The move is off: the folder goes. */
  discard(topic: string, partition: number): void {
    const key = partitionDirName(topic, partition);
    const future = this.#futures.get(key);
    if (future === undefined) return;
    future.log?.abandon();
    this.#futures.delete(key);
    this.#folders.delete(future.name, topic, partition, 0);
  }

  /** The future log holds all: it is closed, and its folder gets the name of the partition. */
  promote(topic: string, partition: number): void {
    const key = partitionDirName(topic, partition);
    const future = this.#futures.get(key);
    if (future === undefined) throw new Error(`${key} has no future log in ${this.#folders.path}`);
    future.log?.close();
    this.#folders.promote(future.name, key);
    this.#futures.delete(key);
  }

  /** Closes them for now; the moves go on after the next start. */
  close(): void {
    for (const { log } of this.#futures.values()) log?.abandon();
  }
}
