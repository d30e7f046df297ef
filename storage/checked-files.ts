/**
 * Which .log files hold valid batches from end to end. It can be found out before the logs are opened, by several threads at once; what
 * a log is then recovered from are the headers (recovery.ts).
 */
import { BatchCursor } from './batch-cursor.ts';
import { CrcChain } from './crc-chain.ts';
import type { Disk } from './disk.ts';
import { FilePool, PooledFile } from './file-pool.ts';
import { CLEANED_SUFFIX, LOG_SUFFIX, offsetFromName, SWAP_SUFFIX } from './names.ts';

/** By path, the size in bytes of each file that was found valid as a whole. */
export type CheckedFiles = ReadonlyMap<string, number>;

/** The .log files in a partition's folder that may hold bytes beyond the recovery point; none where files are about to change places. */
export function filesToCheck(disk: Disk, dir: string, recoveryPoint: number): string[] {
  const names = disk.list(dir);
  if (names.some((name) => name.endsWith(SWAP_SUFFIX) || name.endsWith(CLEANED_SUFFIX))) return [];
  const logs = names.filter((name) => offsetFromName(name, LOG_SUFFIX) !== null);
  const first = logs.findLastIndex((name) => (offsetFromName(name, LOG_SUFFIX) as number) <= recoveryPoint);
  return logs.slice(Math.max(0, first)).map((name) => `${dir}/${name}`);
}

/** Whether the files have more than so many bytes together; looks at no more of them than it takes to know. */
export function areLarger(disk: Disk, paths: readonly string[], limitBytes: number): boolean {
  let sizeBytes = 0;
  return paths.some((path) => {
    const file = disk.open(path, 'read-only');
    sizeBytes += file.sizeBytes();
    file.close();
    return sizeBytes > limitBytes;
  });
}

/** The size of the file where all of it is valid batches; -1 for any other, also for one that cannot be read. Reads through `window`. */
export function checkFile(disk: Disk, path: string, window: Buffer): number {
  const file = new PooledFile(new FilePool(disk, 1), path, true);
  try {
    const sizeBytes = file.handle.sizeBytes();
    return holdsValidBatches(file, sizeBytes, window) ? sizeBytes : -1;
  } catch {
    // Who opens the log meets the error again, and can say what it means.
    return -1;
  } finally {
    file.close();
  }
}

function holdsValidBatches(file: PooledFile, sizeBytes: number, window: Buffer): boolean {
  const chain = new CrcChain();
  let areCrcsValid = true;
  const cursor = new BatchCursor(file, 0, sizeBytes, window);
  cursor.beforeRead = () => {
    areCrcsValid &&= chain.isValid();
  };
  while (areCrcsValid && cursor.load()) {
    cursor.loadWhole();
    const { buf, at, position } = cursor;
    cursor.advance();
    chain.add(buf, at, cursor.position - position);
  }
  return areCrcsValid && chain.isValid() && cursor.position === sizeBytes;
}
