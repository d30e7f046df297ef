import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

/** Makes the directory if it is not there; what is put into it would be lost with its name. */
export function makeDurableDir(disk: Disk, path: string): void {
  if (disk.exists(path)) return;
  disk.makeDir(path);
  disk.syncDir(dirname(path));
}
