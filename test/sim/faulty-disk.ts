/**
 * A disk that does to storage whatever a disk, a kernel or a power cut may do, and always the same for one seed.
 *
 * The model: a page cache over a durable store.
 *   - Reads see the page cache. A killed process (`kill`) leaves it as it is; a power cut (`powerCut`) leaves the durable store only.
 *   - Data is lost, kept or torn by sector of 512 bytes, in any order: what was not synced is there or not, sector by sector, and the
 *     kernel writes back on its own at any time. A file's size may run ahead of its data (zeros then) or lag behind it; a
 *     truncation that was not synced may be undone.
 *   - fdatasync makes durable what the file held when it was called, its size included, not its name.
 *   - Names are made durable by a sync of their folder. Until then a power cut undoes the last of the changes in that folder, any number
 *     of them: changes of one folder reach the disk in their order, as journaling file systems have it (POSIX promises less).
 *     Changes of different folders, and names and data, know no order: a synced file in a folder whose own name is not
 *     durable is gone.
 *   - A full disk takes a part of a write and then fails, until there is room again.
 *   - Reads, writes and syncs fail when told to. After a failed sync the pages count as clean and may not have been written.
 *   - Bits flip where the caller says.
 *   - A process can be made to die before any change to the disk, or in the middle of a write, of which a beginning is there then
 *     (`dieAfter`): whatever it tries then fails.
 *
 * Not in the model: a disk that lies about a sync, writes to the wrong place, or tears a sector.
 */
import { posix } from 'node:path';
import { type Disk, DiskError, type DiskFile, type DiskLock } from '../../storage/disk.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { FaultyFile } from './faulty-file.ts';

type Entry = FaultyFile | Folder;
type NameChange = { readonly name: string; readonly entry: Entry | null }[];

/** Names in a folder: as the process sees them, and as a power cut would leave them. */
class Folder {
  cached = new Map<string, Entry>();
  durable = new Map<string, Entry>();
  /** Not durable yet, in order; a change is atomic even when it touches two names. */
  pending: NameChange[] = [];

  change(...change: NameChange): void {
    applyChange(this.cached, change);
    this.pending.push(change);
  }

  makeDurable(count: number): void {
    for (const change of this.pending.splice(0, count)) applyChange(this.durable, change);
  }

  powerCut(random: SeededRandom): void {
    this.makeDurable(random.int(this.pending.length + 1));
    this.pending = [];
    this.cached = new Map(this.durable);
    for (const entry of this.cached.values()) entry.powerCut(random);
  }
}

function applyChange(names: Map<string, Entry>, change: NameChange): void {
  for (const { name, entry } of change) {
    if (entry === null) names.delete(name);
    else names.set(name, entry);
  }
}

export type FaultyOperation = 'read' | 'write' | 'sync';

export class FaultyDisk implements Disk {
  /** Bytes in files that fit; may change at any time. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** How many operations of a kind go well before one fails; a failed one leaves its counter at Infinity. */
  readonly failAfter: Record<FaultyOperation, number> = {
    read: Number.POSITIVE_INFINITY,
    write: Number.POSITIVE_INFINITY,
    sync: Number.POSITIVE_INFINITY,
  };
  /** Changes that the process makes before it dies. */
  dieAfter = Number.POSITIVE_INFINITY;
  /** With false, what goes to the thread pool waits there for `finishPool`. */
  poolRuns = true;
  readonly #random: SeededRandom;
  #root = new Folder();
  #locks = new Set<string>();
  /** Locks whose holders have vouched; a power cut is seen. */
  readonly #vouched = new Set<string>();
  /** How often somebody got a lock whose former holder had vouched. */
  vouchedLocks = 0;
  /** Counts processes: the files of one that is gone are of no use to the next. */
  #process = 0;
  #pool: (() => void)[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get isDead(): boolean {
    return this.dieAfter < 0;
  }

  // What befalls the disk

  /** The process is gone; the page cache is not. */
  kill(): void {
    this.#process += 1;
    this.dieAfter = Number.POSITIVE_INFINITY;
    this.#pool = [];
    this.#locks.clear();
    for (const kind of ['read', 'write', 'sync'] as const) this.failAfter[kind] = Number.POSITIVE_INFINITY;
  }

  powerCut(): void {
    this.kill();
    this.#vouched.clear();
    this.#root.powerCut(this.#random);
  }

  /** `bit` counts from the first of the file. */
  flipBit(path: string, bit: number): void {
    this.file(path).flipBit(bit);
  }

  /** Ends what waits in the thread pool, in any order. */
  finishPool(): void {
    const waiting = this.#pool.splice(0);
    while (waiting.length > 0) waiting.splice(this.#random.int(waiting.length), 1)[0]();
  }

  usedBytes(): number {
    return bytesIn(this.#root);
  }

  // For the files of this disk

  file(path: string): FaultyFile {
    const found = this.#find(path);
    if (found instanceof FaultyFile) return found;
    throw new DiskError('NOT_FOUND', path, 'no such file');
  }

  get process(): number {
    return this.#process;
  }

  alive(path: string, process: number): void {
    if (process !== this.#process || this.isDead) throw new DiskError('IO', path, 'the process is gone');
  }

  /** Before each change. */
  change(path: string): void {
    this.dieAfter -= 1;
    this.alive(path, this.#process);
  }

  /** Throws where this operation is to fail. */
  mayFail(kind: FaultyOperation, path: string): void {
    this.failAfter[kind] -= 1;
    if (this.failAfter[kind] >= 0) return;
    this.failAfter[kind] = Number.POSITIVE_INFINITY;
    throw new DiskError('IO', path, `${kind} failed`);
  }

  /** How many of `bytes` more fit. */
  roomFor(bytes: number): number {
    if (bytes <= 0 || this.capacityBytes === Number.POSITIVE_INFINITY) return bytes;
    return Math.max(0, Math.min(bytes, this.capacityBytes - this.usedBytes()));
  }

  sometimesWriteBack(file: FaultyFile): void {
    if (this.#random.int(8) === 0) file.writeBack(this.#random);
  }

  /** How much of `bytes` a write that fails has written. */
  partOf(bytes: number): number {
    return this.#random.int(bytes + 1);
  }

  syncFile(file: FaultyFile, path: string): void {
    this.#endSync(file, path, file.beginSync());
  }

  syncFileInPool(file: FaultyFile, path: string): Promise<void> {
    const sync = file.beginSync();
    return this.#inPool(path, () => this.#endSync(file, path, sync));
  }

  #endSync(file: FaultyFile, path: string, sync: ReturnType<FaultyFile['beginSync']>): void {
    try {
      this.mayFail('sync', path);
    } catch (error) {
      file.failSync(sync, this.#random);
      throw error;
    }
    file.endSync(sync, this.#random);
  }

  readInPool(file: FaultyFile, path: string, target: Uint8Array, position: number): Promise<number> {
    return this.#inPool(path, () => {
      this.mayFail('read', path);
      return file.read(target, position);
    });
  }

  /** A promise that nobody settles any more once the process is gone. */
  #inPool<T>(path: string, work: () => T): Promise<T> {
    const process = this.#process;
    return new Promise((resolve, reject) => {
      const run = (): void => {
        if (process !== this.#process) return;
        try {
          this.alive(path, process);
          resolve(work());
        } catch (error) {
          reject(error as Error);
        }
      };
      if (this.poolRuns) queueMicrotask(run);
      else this.#pool.push(run);
    });
  }

  // Disk

  open(path: string, mode: 'existing' | 'create'): DiskFile {
    this.alive(path, this.#process);
    let file = this.#find(path);
    if (file instanceof Folder) throw new DiskError('IO', path, 'is a folder');
    if (file === undefined) {
      if (mode === 'existing') throw new DiskError('NOT_FOUND', path, 'no such file');
      this.change(path);
      file = new FaultyFile();
      this.#parent(path).change({ name: posix.basename(path), entry: file });
    }
    return new OpenFile(this, file, path);
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  readFile(path: string): Buffer | null {
    this.alive(path, this.#process);
    const found = this.#find(path);
    if (found === undefined) return null;
    if (found instanceof Folder) throw new DiskError('IO', path, 'is a folder');
    this.mayFail('read', path);
    return found.content();
  }

  writeFile(path: string, data: Uint8Array | string, options?: { durable?: boolean }): void {
    const durable = options?.durable ?? true;
    const temporary = `${path}.tmp`;
    const file = this.open(temporary, 'create');
    file.truncateSync(0);
    file.writeSync(typeof data === 'string' ? Buffer.from(data) : data, 0);
    if (durable) file.syncSync();
    this.rename(temporary, path);
    if (durable) this.syncDir(posix.dirname(path));
  }

  list(path: string): string[] {
    this.alive(path, this.#process);
    const found = this.#find(path);
    return found instanceof Folder ? [...found.cached.keys()].sort() : [];
  }

  makeDir(path: string): void {
    let folder = this.#root;
    for (const name of partsOf(path)) {
      let next = folder.cached.get(name);
      if (next === undefined) {
        this.change(path);
        next = new Folder();
        folder.change({ name, entry: next });
      }
      if (!(next instanceof Folder)) throw new DiskError('EXISTS', path, 'is a file');
      folder = next;
    }
  }

  rename(from: string, to: string): void {
    this.change(from);
    const entry = this.#find(from);
    const target = this.#find(to);
    if (entry === undefined) throw new DiskError('NOT_FOUND', from, 'no such file or folder');
    if (posix.dirname(from) !== posix.dirname(to)) throw new DiskError('IO', from, 'only within a folder');
    if (target instanceof Folder && target.cached.size > 0) throw new DiskError('EXISTS', to, 'is a folder in use');
    this.#parent(from).change({ name: posix.basename(from), entry: null }, { name: posix.basename(to), entry });
  }

  remove(path: string): void {
    if (this.#find(path) === undefined) return;
    this.change(path);
    this.#parent(path).change({ name: posix.basename(path), entry: null });
  }

  removeAsync(path: string): Promise<void> {
    return this.#inPool(path, () => this.remove(path));
  }

  syncDir(path: string): void {
    this.alive(path, this.#process);
    const folder = this.#folder(path);
    this.mayFail('sync', path);
    folder.makeDurable(folder.pending.length);
  }

  syncDirAsync(path: string): Promise<void> {
    const folder = this.#folder(path);
    let left = folder.pending.length;
    return this.#inPool(path, () => {
      this.mayFail('sync', path);
      // Another sync of the folder may have come first.
      left = Math.min(left, folder.pending.length);
      folder.makeDurable(left);
    });
  }

  lock(path: string): DiskLock {
    if (this.#locks.has(path)) throw new DiskError('LOCKED', path, 'in use');
    this.#locks.add(path);
    const process = this.#process;
    const vouched = this.#vouched.delete(path);
    if (vouched) this.vouchedLocks += 1;
    const ifAlive = (action: () => void) => (): void => {
      if (process === this.#process && !this.isDead) action();
    };
    return {
      vouched,
      vouch: ifAlive(() => this.#vouched.add(path)),
      withdraw: ifAlive(() => this.#vouched.delete(path)),
      release: () => {
        if (process !== this.#process) return;
        this.#locks.delete(path);
        this.#vouched.delete(path);
      },
    };
  }

  space(): { totalBytes: number; usableBytes: number } {
    return { totalBytes: this.capacityBytes, usableBytes: Math.max(0, this.capacityBytes - this.usedBytes()) };
  }

  #find(path: string): Entry | undefined {
    let found: Entry | undefined = this.#root;
    for (const name of partsOf(path)) found = found instanceof Folder ? found.cached.get(name) : undefined;
    return found;
  }

  #folder(path: string): Folder {
    const found = this.#find(path);
    if (found instanceof Folder) return found;
    throw new DiskError('NOT_FOUND', path, 'no such folder');
  }

  #parent(path: string): Folder {
    return this.#folder(posix.dirname(path));
  }
}

class OpenFile implements DiskFile {
  readonly path: string;
  readonly #disk: FaultyDisk;
  readonly #file: FaultyFile;
  readonly #process: number;
  #isOpen = true;

  constructor(disk: FaultyDisk, file: FaultyFile, path: string) {
    this.#disk = disk;
    this.#file = file;
    this.path = path;
    this.#process = disk.process;
  }

  #check(): void {
    if (!this.#isOpen) throw new Error(`${this.path} is used after it was closed`);
    this.#disk.alive(this.path, this.#process);
  }

  sizeBytes(): number {
    this.#check();
    return this.#file.sizeBytes;
  }

  readSync(target: Uint8Array, position: number): number {
    this.#check();
    this.#disk.mayFail('read', this.path);
    return this.#file.read(target, position);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    this.#check();
    return this.#disk.readInPool(this.#file, this.path, target, position);
  }

  writeSync(data: Uint8Array, position: number): void {
    this.#check();
    try {
      this.#disk.change(this.path);
    } catch (error) {
      // Killed on the way.
      this.#file.write(data.subarray(0, this.#disk.partOf(data.length)), position);
      throw error;
    }
    try {
      this.#disk.mayFail('write', this.path);
    } catch (error) {
      this.#file.write(data.subarray(0, this.#disk.partOf(data.length)), position);
      throw error;
    }
    const more = position + data.length - this.#file.sizeBytes;
    const fits = data.length - Math.max(0, more) + this.#disk.roomFor(Math.max(0, more));
    this.#file.write(data.subarray(0, fits), position);
    this.#disk.sometimesWriteBack(this.#file);
    if (fits < data.length) throw new DiskError('NO_SPACE', this.path, 'the disk is full');
  }

  truncateSync(sizeBytes: number): void {
    this.#check();
    this.#disk.change(this.path);
    this.#file.truncate(sizeBytes);
  }

  /** Nothing here goes by the times of files. */
  modifiedMs(): number {
    return 0;
  }

  setModifiedMs(): void {}

  async sync(): Promise<void> {
    this.#check();
    await this.#disk.syncFileInPool(this.#file, this.path);
  }

  syncSync(): void {
    this.#check();
    this.#disk.syncFile(this.#file, this.path);
  }

  close(): void {
    this.#isOpen = false;
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function bytesIn(entry: Entry): number {
  if (entry instanceof FaultyFile) return entry.sizeBytes;
  let sum = 0;
  for (const inside of entry.cached.values()) sum += bytesIn(inside);
  return sum;
}
