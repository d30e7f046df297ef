/**
 * A disk in memory: for `--in-memory` and for tests. It keeps a file system's meaning: a folder has to exist before a file in it,
 * an open file outlives its name, a rename takes open files along. Nothing is lost before the process ends, so `sync` does nothing.
 */
import { posix } from 'node:path';
import { type Disk, DiskError, type DiskFile, type DiskLock, type OpenMode } from './disk.ts';

const CHUNK_BYTES = 262_144;
const FIRST_CHUNK_BYTES = 512;

/** Bytes in chunks of one size, so that growing never copies more than the first chunk; that one starts small and doubles. */
class MemoryContent {
  sizeBytes = 0;
  modifiedMs: number;
  #chunks: Buffer[] = [];

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs;
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.length, this.sizeBytes - position));
    let done = 0;
    while (done < count) {
      const at = position + done;
      const within = at % CHUNK_BYTES;
      const part = Math.min(count - done, CHUNK_BYTES - within);
      this.#chunks[Math.floor(at / CHUNK_BYTES)].copy(target, done, within, within + part);
      done += part;
    }
    return count;
  }

  write(data: Uint8Array, position: number): void {
    if (position > this.sizeBytes) this.truncate(position);
    this.#reserve(position + data.length);
    let done = 0;
    while (done < data.length) {
      const at = position + done;
      const within = at % CHUNK_BYTES;
      const part = Math.min(data.length - done, CHUNK_BYTES - within);
      const piece = part === data.length ? data : data.subarray(done, done + part);
      this.#chunks[Math.floor(at / CHUNK_BYTES)].set(piece, within);
      done += part;
    }
    this.sizeBytes = Math.max(this.sizeBytes, position + data.length);
  }

  /** Zeros fill what is added. */
  truncate(sizeBytes: number): void {
    this.#reserve(sizeBytes);
    for (let at = this.sizeBytes; at < sizeBytes; ) {
      const within = at % CHUNK_BYTES;
      const part = Math.min(sizeBytes - at, CHUNK_BYTES - within);
      this.#chunks[Math.floor(at / CHUNK_BYTES)].fill(0, within, within + part);
      at += part;
    }
    this.#chunks.length = Math.min(this.#chunks.length, Math.ceil(sizeBytes / CHUNK_BYTES));
    this.sizeBytes = sizeBytes;
  }

  #reserve(sizeBytes: number): void {
    this.#reserveFirst(Math.min(sizeBytes, CHUNK_BYTES));
    while (this.#chunks.length * CHUNK_BYTES < sizeBytes) this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_BYTES));
  }

  #reserveFirst(sizeBytes: number): void {
    const first = this.#chunks[0];
    if (sizeBytes === 0 || (first !== undefined && first.length >= sizeBytes)) return;
    let capacity = first?.length ?? FIRST_CHUNK_BYTES;
    while (capacity < sizeBytes) capacity *= 2;
    const grown = Buffer.allocUnsafeSlow(capacity);
    first?.copy(grown);
    this.#chunks[0] = grown;
  }
}

class MemoryFile implements DiskFile {
  readonly path: string;
  readonly #content: MemoryContent;
  readonly #disk: MemoryDisk;

  constructor(path: string, content: MemoryContent, disk: MemoryDisk) {
    this.path = path;
    this.#content = content;
    this.#disk = disk;
  }

  sizeBytes(): number {
    return this.#content.sizeBytes;
  }

  readSync(target: Uint8Array, position: number): number {
    return this.#content.read(target, position);
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return this.#content.read(target, position);
  }

  writeSync(data: Uint8Array, position: number): void {
    this.#disk.claim(this.path, Math.max(0, position + data.length - this.#content.sizeBytes));
    this.#content.write(data, position);
    this.#content.modifiedMs = this.#disk.nowMs();
  }

  truncateSync(sizeBytes: number): void {
    this.#disk.claim(this.path, sizeBytes - this.#content.sizeBytes);
    this.#content.truncate(sizeBytes);
    this.#content.modifiedMs = this.#disk.nowMs();
  }

  modifiedMs(): number {
    return this.#content.modifiedMs;
  }

  setModifiedMs(modifiedMs: number): void {
    this.#content.modifiedMs = modifiedMs;
  }

  async sync(): Promise<void> {}

  syncSync(): void {}

  close(): void {}
}

/** A folder: names to files and folders. */
type Folder = Map<string, MemoryContent | Folder>;

export class MemoryDisk implements Disk {
  /** The clock that files get their times from; by default the system's, as with any other disk. */
  readonly nowMs: () => number;
  readonly #root: Folder = new Map();
  readonly #locks = new Set<string>();
  readonly #capacityBytes: number;
  #usedBytes = 0;

  constructor(options: { capacityBytes?: number; nowMs?: () => number } = {}) {
    this.#capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
    this.nowMs = options.nowMs ?? Date.now;
  }

  /** Accounts for `bytes` more (or fewer) in files; NO_SPACE when they do not fit. */
  claim(path: string, bytes: number): void {
    if (bytes > 0 && this.#usedBytes + bytes > this.#capacityBytes) {
      throw new DiskError('NO_SPACE', path, `${this.#capacityBytes} bytes are used up`);
    }
    this.#usedBytes += bytes;
  }

  open(path: string, mode: OpenMode): DiskFile {
    let content = this.#find(path);
    if (content instanceof Map) throw new DiskError('IO', path, 'is a folder');
    if (content === undefined) {
      if (mode !== 'create') throw new DiskError('NOT_FOUND', path, 'no such file');
      content = new MemoryContent(this.nowMs());
      this.#parent(path).set(posix.basename(path), content);
    }
    return new MemoryFile(path, content, this);
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  readFile(path: string): Buffer | null {
    const content = this.#find(path);
    if (content === undefined) return null;
    if (content instanceof Map) throw new DiskError('IO', path, 'is a folder');
    const data = Buffer.alloc(content.sizeBytes);
    content.read(data, 0);
    return data;
  }

  writeFile(path: string, data: Uint8Array | string): void {
    const parent = this.#parent(path);
    const before = this.#find(path);
    if (before instanceof Map) throw new DiskError('IO', path, 'is a folder');
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.claim(path, bytes.length - (before?.sizeBytes ?? 0));
    const content = new MemoryContent(this.nowMs());
    content.write(bytes, 0);
    parent.set(posix.basename(path), content);
  }

  list(path: string): string[] {
    const found = this.#find(path);
    return found instanceof Map ? [...found.keys()].sort() : [];
  }

  makeDir(path: string): void {
    let folder = this.#root;
    for (const name of parts(path)) {
      let next = folder.get(name);
      if (next === undefined) {
        next = new Map();
        folder.set(name, next);
      }
      if (!(next instanceof Map)) throw new DiskError('EXISTS', path, 'is a file');
      folder = next;
    }
  }

  rename(from: string, to: string): void {
    const found = this.#find(from);
    const target = this.#find(to);
    if (found === undefined) throw new DiskError('NOT_FOUND', from, 'no such file or folder');
    if (found === target) return;
    if (target instanceof Map && (target.size > 0 || !(found instanceof Map))) {
      throw new DiskError('EXISTS', to, 'is a folder in use');
    }
    const parent = this.#parent(to);
    if (target !== undefined) this.#usedBytes -= bytesIn(target);
    this.#parent(from).delete(posix.basename(from));
    parent.set(posix.basename(to), found);
  }

  remove(path: string): void {
    const found = this.#find(path);
    if (found === undefined) return;
    this.#usedBytes -= bytesIn(found);
    this.#parent(path).delete(posix.basename(path));
  }

  async removeAsync(path: string): Promise<void> {
    this.remove(path);
  }

  syncDir(path: string): void {
    if (!(this.#find(path) instanceof Map)) throw new DiskError('NOT_FOUND', path, 'no such folder');
  }

  async syncDirAsync(path: string): Promise<void> {
    this.syncDir(path);
  }

  lock(path: string): DiskLock {
    const key = posix.normalize(path);
    if (this.#locks.has(key)) throw new DiskError('LOCKED', path, 'in use');
    this.#locks.add(key);
    const nothing = (): void => {};
    return { vouched: false, vouch: nothing, withdraw: nothing, release: () => void this.#locks.delete(key) };
  }

  space(): { totalBytes: number; usableBytes: number } {
    return { totalBytes: this.#capacityBytes, usableBytes: this.#capacityBytes - this.#usedBytes };
  }

  #find(path: string): MemoryContent | Folder | undefined {
    let found: MemoryContent | Folder | undefined = this.#root;
    for (const name of parts(path)) found = found instanceof Map ? found.get(name) : undefined;
    return found;
  }

  #parent(path: string): Folder {
    const folder = this.#find(posix.dirname(path));
    if (folder instanceof Map) return folder;
    throw new DiskError('NOT_FOUND', path, 'no such folder');
  }
}

function parts(path: string): string[] {
  return posix
    .normalize(path)
    .split('/')
    .filter((part) => part !== '' && part !== '.');
}

function bytesIn(found: MemoryContent | Folder): number {
  if (!(found instanceof Map)) return found.sizeBytes;
  let sum = 0;
  for (const entry of found.values()) sum += bytesIn(entry);
  return sum;
}
