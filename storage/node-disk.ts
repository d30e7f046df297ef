/** The disk of the machine, through node:fs. */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { type Disk, DiskError, type DiskErrorCode, type DiskFile, type DiskLock, type OpenMode } from './disk.ts';
import { acquireLockFile } from './node-disk-lock.ts';

const { O_CREAT, O_RDONLY, O_RDWR } = fs.constants;
const OPEN_FLAGS: Record<OpenMode, number> = { existing: O_RDWR, create: O_RDWR | O_CREAT, 'read-only': O_RDONLY };

const CODES: Record<string, DiskErrorCode> = {
  ENOENT: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EMFILE: 'TOO_MANY_FILES',
  ENFILE: 'TOO_MANY_FILES',
  EACCES: 'NO_ACCESS',
  EPERM: 'NO_ACCESS',
  EROFS: 'NO_ACCESS',
};

export function toDiskError(path: string, cause: unknown): DiskError {
  if (cause instanceof DiskError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new DiskError(CODES[code] ?? 'IO', path, cause);
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw toDiskError(path, cause);
  }
}

const isDirectory = (path: string): boolean => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** mkdir's own recursion never ends where a directory that is there has no room for others, as /proc. */
function makeDirs(path: string): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirs(parent);
  try {
    fs.mkdirSync(path);
  } catch (cause) {
    // somebody else may have been faster
    if (!isDirectory(path)) throw cause;
  }
}

class NodeFile implements DiskFile {
  readonly path: string;
  #fd: number;
  /** Calls in the thread pool that still use the descriptor; closing waits for them, since the number is reused at once. */
  #inFlight = 0;
  #closing = false;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  get descriptor(): number {
    return this.#fd;
  }

  sizeBytes(): number {
    return attempt(this.path, () => fs.fstatSync(this.#fd).size);
  }

  readSync(target: Uint8Array, position: number): number {
    let done = 0;
    try {
      while (done < target.length) {
        const count = fs.readSync(this.#fd, target, done, target.length - done, position + done);
        if (count === 0) break;
        done += count;
      }
    } catch (cause) {
      throw toDiskError(this.path, cause);
    }
    return done;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < target.length) {
      const count = await this.#readOnce(target, done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  #readOnce(target: Uint8Array, at: number, position: number): Promise<number> {
    return this.#inPool<number>((callback) => fs.read(this.#fd, target, at, target.length - at, position, callback));
  }

  writeSync(data: Uint8Array, position: number): void {
    let done = 0;
    try {
      while (done < data.length) done += fs.writeSync(this.#fd, data, done, data.length - done, position + done);
    } catch (cause) {
      throw toDiskError(this.path, cause);
    }
  }

  truncateSync(sizeBytes: number): void {
    attempt(this.path, () => fs.ftruncateSync(this.#fd, sizeBytes));
  }

  modifiedMs(): number {
    return attempt(this.path, () => Math.floor(fs.fstatSync(this.#fd).mtimeMs));
  }

  setModifiedMs(modifiedMs: number): void {
    attempt(this.path, () => fs.futimesSync(this.#fd, modifiedMs / 1000, modifiedMs / 1000));
  }

  sync(): Promise<void> {
    return this.#inPool<void>((callback) => fs.fdatasync(this.#fd, callback));
  }

  syncSync(): void {
    attempt(this.path, () => fs.fdatasyncSync(this.#fd));
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#inFlight === 0) this.#closeNow();
  }

  #closeNow(): void {
    const fd = this.#fd;
    this.#fd = -1;
    attempt(this.path, () => fs.closeSync(fd));
  }

  #inPool<T>(start: (callback: (error: Error | null, value?: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#inFlight += 1;
      start((error, value) => {
        this.#inFlight -= 1;
        if (this.#closing && this.#inFlight === 0) this.#closeNow();
        if (error === null) resolve(value as T);
        else reject(toDiskError(this.path, error));
      });
    });
  }
}

export class NodeDisk implements Disk {
  open(path: string, mode: OpenMode): DiskFile {
    const flags = OPEN_FLAGS[mode];
    return new NodeFile(
      path,
      attempt(path, () => fs.openSync(path, flags, 0o644)),
    );
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  readFile(path: string): Buffer | null {
    try {
      return fs.readFileSync(path);
    } catch (cause) {
      const error = toDiskError(path, cause);
      if (error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  writeFile(path: string, data: Uint8Array | string, options?: { durable?: boolean }): void {
    const durable = options?.durable ?? true;
    const temporary = `${path}.tmp`;
    attempt(path, () => {
      const fd = fs.openSync(temporary, 'w', 0o644);
      try {
        fs.writeFileSync(fd, data);
        if (durable) fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
      fs.renameSync(temporary, path);
    });
    if (durable) this.syncDir(dirname(path));
  }

  list(path: string): string[] {
    try {
      return fs.readdirSync(path).sort();
    } catch (cause) {
      const error = toDiskError(path, cause);
      if (error.code === 'NOT_FOUND') return [];
      throw error;
    }
  }

  makeDir(path: string): void {
    attempt(path, () => makeDirs(path));
  }

  rename(from: string, to: string): void {
    attempt(from, () => fs.renameSync(from, to));
  }

  remove(path: string): void {
    attempt(path, () => fs.rmSync(path, { recursive: true, force: true }));
  }

  async removeAsync(path: string): Promise<void> {
    try {
      await fs.promises.rm(path, { recursive: true, force: true });
    } catch (cause) {
      throw toDiskError(path, cause);
    }
  }

  syncDir(path: string): void {
    attempt(path, () => {
      const fd = fs.openSync(path, 'r');
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  async syncDirAsync(path: string): Promise<void> {
    try {
      const handle = await fs.promises.open(path, 'r');
      await handle.sync().finally(() => handle.close());
    } catch (cause) {
      throw toDiskError(path, cause);
    }
  }

  lock(path: string): DiskLock {
    return attempt(path, () => acquireLockFile(path));
  }

  space(path: string): { totalBytes: number; usableBytes: number } {
    const stats = attempt(path, () => fs.statfsSync(path));
    return { totalBytes: stats.blocks * stats.bsize, usableBytes: stats.bavail * stats.bsize };
  }
}
