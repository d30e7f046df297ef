/**
 * Open files, bounded in number: a file opens when it is used and gives its descriptor back when others need it more (second
 * chance). Logs keep `PooledFile`s, never descriptors, so that thousands of idle partitions cost none.
 */
import { type Disk, DiskError, type DiskFile, type OpenMode } from './disk.ts';

/** Given back at a time where the process has run out of descriptors: sockets and short-lived files need some, too. */
const GIVEN_BACK = 32;

export class FilePool {
  readonly disk: Disk;
  readonly #maxOpen: number;
  readonly #open: PooledFile[] = [];
  #hand = 0;

  constructor(disk: Disk, maxOpen: number) {
    this.disk = disk;
    this.#maxOpen = Math.max(1, maxOpen);
  }

  get openCount(): number {
    return this.#open.length;
  }

  /** Opens a file of the disk. Others are closed for it where the process has run out of descriptors, as connections may make it. */
  openFile(path: string, mode: OpenMode): DiskFile {
    for (;;) {
      try {
        return this.disk.open(path, mode);
      } catch (error) {
        const isShort = error instanceof DiskError && error.code === 'TOO_MANY_FILES';
        if (!isShort || this.#open.length === 0) throw error;
        for (const file of this.#open.slice(0, GIVEN_BACK)) file.close();
      }
    }
  }

  /** Called by a file that has just opened. */
  admit(file: PooledFile): void {
    if (this.#open.length < this.#maxOpen) {
      this.#open.push(file);
      return;
    }
    while (this.#open[this.#hand].takeSecondChance()) this.#hand = (this.#hand + 1) % this.#open.length;
    this.#open[this.#hand].evict();
    this.#open[this.#hand] = file;
  }

  /** Called by a file that has closed by itself. */
  dismiss(file: PooledFile): void {
    const at = this.#open.indexOf(file);
    if (at < 0) return;
    const last = this.#open.pop() as PooledFile;
    if (at < this.#open.length) this.#open[at] = last;
    if (this.#hand >= this.#open.length) this.#hand = 0;
  }
}

export class PooledFile {
  readonly #pool: FilePool;
  #path: string;
  #exists: boolean;
  #handle: DiskFile | null = null;
  #used = false;
  #isCreated = false;

  /** `exists` says whether the file is there; otherwise the first use of `handle` creates it. */
  constructor(pool: FilePool, path: string, exists: boolean) {
    this.#pool = pool;
    this.#path = path;
    this.#exists = exists;
  }

  get path(): string {
    return this.#path;
  }

  get exists(): boolean {
    return this.#exists;
  }

  /** The open file, good for use at once; not to be kept, since the next file to open may close it. */
  get handle(): DiskFile {
    this.#used = true;
    return this.#handle ?? this.#openNow();
  }

  /** Makes the file where there is none; it may be open then. */
  create(): void {
    if (!this.#exists) this.#openNow();
  }

  #openNow(): DiskFile {
    const handle = this.#pool.openFile(this.#path, this.#exists ? 'existing' : 'create');
    this.#isCreated ||= !this.#exists;
    this.#exists = true;
    this.#handle = handle;
    this.#pool.admit(this);
    return handle;
  }

  /** Whether the file was made since the last question: its name is not durable then. */
  takeCreated(): boolean {
    const isCreated = this.#isCreated;
    this.#isCreated = false;
    return isCreated;
  }

  close(): void {
    if (this.#handle === null) return;
    this.#pool.dismiss(this);
    this.evict();
  }

  rename(path: string): void {
    if (this.#exists) this.#pool.disk.rename(this.#path, path);
    this.#path = path;
  }

  remove(): void {
    this.close();
    if (this.#exists) this.#pool.disk.remove(this.#path);
    this.#exists = false;
  }

  /** For the pool: whether the file was used since the last question. */
  takeSecondChance(): boolean {
    const used = this.#used;
    this.#used = false;
    return used;
  }

  /** For the pool: closes without telling it. */
  evict(): void {
    this.#handle?.close();
    this.#handle = null;
  }
}
