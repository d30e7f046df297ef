/**
 * Folders whose name is more than that of their partition: what they are for stands at the end, and before it something unique, so that
 * there may be several of one partition.
 *
 *   TOPIC-N.UNIQUE-delete   is being deleted; what is left of it at the end of the process goes after the next start
 *   TOPIC-N.UNIQUE-stray    the metadata does not know it here (KIP-858): kept, since what to do with it is a person's decision
 *   TOPIC-N.UNIQUE-future   a log that is being moved here (KIP-113)
 */
import type { Disk } from './disk.ts';
import type { DeletionQueue } from './resources.ts';

const DELETED = '-delete';
const STRAY = '-stray';
const FUTURE = '-future';
const MAX_NAME_BYTES = 255;

/** Whether the name ends as that of a marked folder does. */
export const isMarkedDirName = (name: string): boolean =>
  name.includes('.') && [DELETED, STRAY, FUTURE].some((mark) => name.endsWith(mark));

export const isDeletedDirName = (name: string): boolean => /^\S+-\S+\.\S+-delete$/.test(name);

/** The topic and partition of a folder TOPIC-N.UNIQUE-future, or null for any other name. */
export function parseFutureDirName(name: string): { topic: string; partition: number } | null {
  const found = /^([a-zA-Z0-9._-]+)-(\d{1,10})\.[^.]+-future$/.exec(name);
  return found === null ? null : { topic: found[1], partition: Number(found[2]) };
}

/** TOPIC-N.UNIQUE-delete. The topic is cut so that the name stays within what file systems allow. */
export const deletedDirName = (topic: string, partition: number, unique: string): string =>
  cappedDirName(topic, `-${partition}.${unique}${DELETED}`);

const strayDirName = (topic: string, partition: number, unique: string): string =>
  cappedDirName(topic, `-${partition}.${unique}${STRAY}`);

const cappedDirName = (topic: string, suffix: string): string =>
  topic.slice(0, MAX_NAME_BYTES - suffix.length) + suffix;

export interface MarkedFoldersEnv {
  readonly disk: Disk;
  /** Of the data directory. */
  readonly path: string;
  /** Deletes folders when they are due. */
  readonly deletions: DeletionQueue;
  /** Fresh at each call. */
  unique(): string;
}

/** Gives folders of one data directory their marks. */
export class MarkedFolders {
  readonly #env: MarkedFoldersEnv;

  constructor(env: MarkedFoldersEnv) {
    this.#env = env;
  }

  /** Of the data directory. */
  get path(): string {
    return this.#env.path;
  }

  /** A folder that has been found marked: its deletion goes on. */
  deletionFound(folder: string): void {
    this.#env.deletions.add(`${this.path}/${folder}`, 0);
  }

  /** The partition's folder, whatever it is called, is renamed now and deleted at `dueMs`. */
  delete(folder: string, topic: string, partition: number, dueMs: number): void {
    const marked = deletedDirName(topic, partition, this.#unique());
    this.#rename(folder, marked);
    this.#env.deletions.add(`${this.path}/${marked}`, dueMs);
  }

  /** The partition's folder is kept as a stray; gives its new name. */
  setAside(folder: string, topic: string, partition: number): string {
    const marked = strayDirName(topic, partition, this.#unique());
    this.#rename(folder, marked);
    return marked;
  }

  /** The name of a folder that is to be made for a log on its way here. */
  newFutureName(topic: string, partition: number): string {
    return `${topic}-${partition}.${this.#unique()}${FUTURE}`;
  }

  /** The log has arrived: its folder gets the partition's name, for good. */
  promote(folder: string, name: string): void {
    this.#rename(folder, name);
    this.#env.disk.syncDir(this.path);
  }

  /** Kafka takes what stands between '.' and the mark for a UUID without its dashes. */
  #unique(): string {
    return this.#env.unique().replace(/[^a-zA-Z0-9]/g, '');
  }

  #rename(from: string, to: string): void {
    this.#env.disk.rename(`${this.path}/${from}`, `${this.path}/${to}`);
  }
}
