/**
 * Whether this process vouches for a data directory: should it be killed, all that its files hold is from writes that came back, but for
 * the end of the last one to each file, so that the next start need not look at each byte (docs/decisions/0007-after-a-kill.md).
 *
 * It does once no log can hold anything else: at once where the last holder has left the directory in an orderly way or vouched for it, else
 * when each log has been checked. It does not any more after the first thing that goes wrong: a disk that fails a write or a sync may
 * show something else later than now.
 */
import type { DiskLock } from './disk.ts';
import type { StorageLogger } from './logger.ts';

export class Vouching {
  readonly #lock: DiskLock;
  readonly #logger: StorageLogger;
  /** Names of the folders whose logs have not been checked yet. */
  readonly #unchecked: Set<string>;
  #isDoubtful = false;

  constructor(lock: DiskLock, unchecked: Iterable<string>, logger: StorageLogger) {
    this.#lock = lock;
    this.#logger = logger;
    this.#unchecked = new Set(unchecked);
    this.#vouchIfChecked();
  }

  /** The log in folder `name` was opened, or is gone. */
  checked(name: string): void {
    if (this.#unchecked.delete(name)) this.#vouchIfChecked();
  }

  /** Something has gone wrong. */
  doubt(): void {
    this.#isDoubtful = true;
    this.#attempt(() => this.#lock.withdraw());
  }

  #vouchIfChecked(): void {
    if (this.#unchecked.size === 0 && !this.#isDoubtful) this.#attempt(() => this.#lock.vouch());
  }

  #attempt(change: () => void): void {
    try {
      change();
    } catch (err) {
      this.#logger.warn({ err }, 'the lock file could not be written');
    }
  }
}
