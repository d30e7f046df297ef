/** A disk on which a process dies between two changes. */
import { DiskError, type DiskFile, MemoryDisk } from '../../storage/index.ts';

class Crash extends DiskError {
  constructor(path: string) {
    super('IO', path, 'crashed');
  }
}

/** Dies before change number `changesLeft`, and is dead until it is revived. */
export class CrashingDisk extends MemoryDisk {
  changesLeft = Number.POSITIVE_INFINITY;

  #change(path: string): void {
    this.changesLeft -= 1;
    if (this.changesLeft < 0) throw new Crash(path);
  }

  override open(path: string, mode: 'existing' | 'create'): DiskFile {
    if (!this.exists(path)) this.#change(path);
    const file = super.open(path, mode);
    return {
      path,
      sizeBytes: () => file.sizeBytes(),
      readSync: (target, position) => file.readSync(target, position),
      read: (target, position) => file.read(target, position),
      writeSync: (data, position) => {
        this.#change(path);
        file.writeSync(data, position);
      },
      truncateSync: (size) => {
        this.#change(path);
        file.truncateSync(size);
      },
      modifiedMs: () => file.modifiedMs(),
      setModifiedMs: (modifiedMs) => file.setModifiedMs(modifiedMs),
      sync: () => file.sync(),
      syncSync: () => file.syncSync(),
      close: () => file.close(),
    };
  }

  override writeFile(path: string, data: Uint8Array | string): void {
    this.#change(path);
    super.writeFile(path, data);
  }

  override rename(from: string, to: string): void {
    this.#change(from);
    super.rename(from, to);
  }

  override remove(path: string): void {
    if (this.exists(path)) this.#change(path);
    super.remove(path);
  }
}
