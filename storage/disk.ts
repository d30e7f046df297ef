/**
 * Disk: the one door to the file system (DESIGN decision 7). `NodeDisk` (storage/node-disk.ts) is the only user of
 * node:fs; `MemoryDisk` (storage/memory-disk.ts) serves `--in-memory` and tests; a faulty one lives under test/sim.
 *
 * Calls without a promise are synchronous and are meant for the hot path (page cache: decision 4); calls that return a
 * promise go to libuv's thread pool. Failures are thrown as `DiskError`.
 */

export type DiskErrorCode = 'NOT_FOUND' | 'EXISTS' | 'NO_SPACE' | 'TOO_MANY_FILES' | 'NO_ACCESS' | 'LOCKED' | 'IO';

export class DiskError extends Error {
  readonly code: DiskErrorCode;
  readonly path: string;

  constructor(code: DiskErrorCode, path: string, cause: unknown) {
    super(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'DiskError';
    this.code = code;
    this.path = path;
  }

  /** Something has run out, space or descriptors; the disk is well, and it may work again later. */
  get isShortage(): boolean {
    return this.code === 'NO_SPACE' || this.code === 'TOO_MANY_FILES';
  }
}

/** An open file. Positions and sizes are in bytes. */
export interface DiskFile {
  readonly path: string;
  /** The system's number of the open file; absent where the disk is not the system's. */
  readonly descriptor?: number;
  sizeBytes(): number;
  /** Fills `target` from `position`; returns the bytes read, fewer only at the end of the file. */
  readSync(target: Uint8Array, position: number): number;
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `data` at `position`, growing the file as needed. */
  writeSync(data: Uint8Array, position: number): void;
  truncateSync(sizeBytes: number): void;
  /** When the content was last changed, in whole milliseconds since the Unix epoch, by the clock of the disk. */
  modifiedMs(): number;
  /** Makes it look as if it had been then. */
  setModifiedMs(modifiedMs: number): void;
  /** fdatasync. */
  sync(): Promise<void>;
  syncSync(): void;
  close(): void;
}

/** Held until `release`; a second holder is refused with LOCKED, also from another process. */
export interface DiskLock {
  /** The holder before was killed while it vouched, and the system has kept all that it wrote. */
  readonly vouched: boolean;
  /**
   * Says that, should this process be killed from now on, what there is under the lock consists of writes that came back, but for the end of
   * the last one to each file. Does nothing where the system may lose what was written without anybody seeing that.
   */
  vouch(): void;
  withdraw(): void;
  release(): void;
}

/** For reading and writing 'existing' and 'create', of which only the second makes a file; the others fail with NOT_FOUND. */
export type OpenMode = 'existing' | 'create' | 'read-only';

export interface Disk {
  open(path: string, mode: OpenMode): DiskFile;
  exists(path: string): boolean;
  /** The whole file, or null where there is none. */
  readFile(path: string): Buffer | null;
  /** Replaces the file as a whole: temporary file, fsync, rename. `durable: false` skips the fsync. */
  writeFile(path: string, data: Uint8Array | string, options?: { durable?: boolean }): void;
  /** Names (no paths) in a folder, sorted; an absent folder gives []. */
  list(path: string): string[];
  makeDir(path: string): void;
  rename(from: string, to: string): void;
  /** Removes a file or a folder with all that is in it; an absent one is no error. */
  remove(path: string): void;
  removeAsync(path: string): Promise<void>;
  /** Makes the entries of a folder durable (fsync of the folder). */
  syncDir(path: string): void;
  syncDirAsync(path: string): Promise<void>;
  lock(path: string): DiskLock;
  /** Of the file system that holds `path`; DescribeLogDirs reports them (KIP-827). */
  space(path: string): { totalBytes: number; usableBytes: number };
}
