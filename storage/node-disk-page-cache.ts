/**
 * Names what the page cache holds of a file: the same text as long as the kernel has kept all that was ever written to it, another one after
 * a boot, and where the file system was unmounted, or its device taken away, in between. A copy of the file has another one, too.
 */
import * as fs from 'node:fs';
import { basename } from 'node:path';

/** Of these the kernel makes a folder /sys/fs/TYPE/DEVICE for each mounted device, with an inode number of its own for each time. */
const FILE_SYSTEMS = ['ext4', 'xfs'];

/** Null where it cannot be told: not Linux, another file system, no /proc or /sys. */
export function pageCacheIdentity(path: string): string | null {
  try {
    const { dev, ino } = fs.statSync(path, { bigint: true });
    const bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const mount = mountIdentity(dev);
    return mount === null || bootId === '' ? null : `${bootId} ${mount} ${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** Of the mount of a block device. Throws where the device number is not that of one. */
function mountIdentity(dev: bigint): string | null {
  const device = basename(fs.readlinkSync(`/sys/dev/block/${majorOf(dev)}:${minorOf(dev)}`));
  for (const type of FILE_SYSTEMS) {
    const folder = fs.statSync(`/sys/fs/${type}/${device}`, { bigint: true, throwIfNoEntry: false });
    if (folder !== undefined) return `${type}:${folder.ino}`;
  }
  return null;
}

/** As in glibc's <sys/sysmacros.h>: 12 + 20 bits of the major number, 8 + 24 of the minor one. */
const majorOf = (dev: bigint): bigint => ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
const minorOf = (dev: bigint): bigint => (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);
