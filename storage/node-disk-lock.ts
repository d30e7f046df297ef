/**
 * The lock file of a data directory. Node has no flock, so the file names its holder: process id, the time at which that
 * process started, and the boot of the machine. A file whose holder is gone (kill -9, power cut) is stale and is replaced.
 * Apache Kafka locks the same file with fcntl and leaves it behind, empty; where the system lists such locks
 * (/proc/locks) a Kafka that is running is seen too. Kafka cannot see us.
 *
 *   1234             process id
 *   56789            its start time, in clock ticks since the boot
 *   8b5835b1-...     boot id
 *   vouched ...      while its holder vouches for the directory (disk.ts): what the page cache then holds (node-disk-page-cache.ts)
 *
 * Known limit: processes in different pid namespaces (two containers, one volume) do not see each other.
 */
import * as fs from 'node:fs';
import { DiskError, type DiskLock } from './disk.ts';
import { pageCacheIdentity } from './node-disk-page-cache.ts';

interface Holder {
  pid: number;
  /** Clock ticks after the boot at which the process started, as the kernel prints it; '' where there is no /proc. */
  startTime: string;
  bootId: string;
}

export function acquireLockFile(path: string): DiskLock {
  const own = describeHolder(process.pid);
  const content = `${own.pid}\n${own.startTime}\n${own.bootId}\n`;
  const temporary = `${path}.${process.pid}.${process.hrtime.bigint()}`;
  let vouched = false;
  try {
    // on a full disk this leaves an empty file, which has to go as well
    fs.writeFileSync(temporary, content);
    for (let attempts = 0; attempts < 10; attempts++) {
      if (linkIfFree(temporary, path)) return new LockFile(path, content, vouched);
      const found = readIfThere(path);
      if (found === null) continue;
      const vouch = vouchFor(path);
      const isVouched = vouch !== null && found.endsWith(`\n${vouch}`);
      const holder = liveHolder(path, found);
      if (holder !== null) throw new DiskError('LOCKED', path, `in use by process ${holder}`);
      vouched = moveStaleAway(path, found) && isVouched;
    }
    throw new DiskError('LOCKED', path, 'taken again and again by other processes');
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** The line that vouches for the directory around the lock file, as things are; null where nobody can. */
function vouchFor(path: string): string | null {
  const identity = pageCacheIdentity(path);
  return identity === null ? null : `vouched ${identity}\n`;
}

class LockFile implements DiskLock {
  readonly vouched: boolean;
  readonly #path: string;
  /** Without the line that vouches. */
  readonly #content: string;
  #vouch = '';

  constructor(path: string, content: string, vouched: boolean) {
    this.#path = path;
    this.#content = content;
    this.vouched = vouched;
  }

  vouch(): void {
    const line = vouchFor(this.#path);
    if (line === null || this.#vouch !== '' || !this.#isOurs()) return;
    // Half a line is none.
    fs.appendFileSync(this.#path, line);
    this.#vouch = line;
  }

  withdraw(): void {
    if (this.#vouch === '' || !this.#isOurs()) return;
    fs.truncateSync(this.#path, this.#content.length);
    this.#vouch = '';
  }

  release(): void {
    if (this.#isOurs()) fs.rmSync(this.#path, { force: true });
  }

  #isOurs(): boolean {
    return readIfThere(this.#path) === this.#content + this.#vouch;
  }
}

/** A hard link appears with its whole content or not at all, so that nobody reads half a lock file. */
function linkIfFree(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw cause;
  }
}

/** Between our look and our rename another process may have replaced the stale file with its own: then it goes back, and the answer is false. */
function moveStaleAway(path: string, stale: string): boolean {
  const aside = `${path}.stale.${process.pid}`;
  try {
    fs.renameSync(path, aside);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return false;
    throw cause;
  }
  const isStale = fs.readFileSync(aside, 'utf8') === stale;
  if (!isStale) linkIfFree(aside, path);
  fs.rmSync(aside, { force: true });
  return isStale;
}

/**
 * The process that holds the file now, or null when it is stale. Apache Kafka leaves the text in it of who was there before: a
 * name of somebody who is gone does not mean that nobody is there.
 */
function liveHolder(path: string, content: string): number | null {
  return namedHolder(content) ?? fcntlHolder(path);
}

/** The process that the text names, where it is that very process which runs. */
function namedHolder(content: string): number | null {
  const [pid, startTime, bootId] = content.split('\n');
  const number = Number(pid);
  if (pid === '' || !Number.isInteger(number) || number <= 0) return null;
  const now = describeHolder(number);
  if (now.startTime !== '' && startTime !== '') {
    return now.startTime === startTime && now.bootId === bootId ? number : null;
  }
  if (now.startTime === '' && hasProc()) return null;
  return isRunning(number) ? number : null;
}

/** The process that holds a lock of the system's on the file (Apache Kafka does), read from Linux's list of locks. */
function fcntlHolder(path: string): number | null {
  const locks = readIfThere('/proc/locks');
  const file = fs.statSync(path, { throwIfNoEntry: false });
  if (locks === null || file === undefined) return null;
  for (const line of locks.split('\n')) {
    const [, pid, major, minor, inode] = LOCK_LINE.exec(line) ?? [];
    if (Number(inode) !== file.ino) continue;
    if (deviceNumber(major, minor) === file.dev || hasOpen(pid, file)) return Number(pid);
  }
  return null;
}

const LOCK_LINE = /^\d+: \S+\s+\S+\s+\S+ (-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /;

/** As stat gives it (makedev), from the hexadecimal numbers of /proc/locks. */
function deviceNumber(major: string, minor: string): number {
  const low = Number.parseInt(minor, 16);
  return (low & 0xff) | (Number.parseInt(major, 16) << 8) | ((low & ~0xff) << 12);
}

/** For file systems (Btrfs, overlays) whose files have another device number in the list of locks than stat gives. */
function hasOpen(pid: string, { dev, ino }: fs.Stats): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return fs.readdirSync(folder).some((fd) => {
      const open = fs.statSync(`${folder}/${fd}`, { throwIfNoEntry: false });
      return open?.dev === dev && open.ino === ino;
    });
  } catch {
    // Another user's process, or one that has just ended.
    return false;
  }
}

function describeHolder(pid: number): Holder {
  // The name of the program, in brackets, may hold blanks and brackets; after it come the state and 18 more fields, then
  // the start time. A zombie has died already.
  const stat = readIfThere(`/proc/${pid}/stat`);
  const fields = stat === null ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTime = fields.length < 20 || fields[0] === 'Z' || fields[0] === 'X' ? '' : fields[19];
  const bootId = readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return { pid, startTime, bootId };
}

function hasProc(): boolean {
  return fs.existsSync('/proc/self/stat');
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return codeOf(cause) === 'EPERM';
  }
}

function readIfThere(path: string): string | null {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw cause;
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
