import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOf, type DeferredBytes } from '../../protocol/deferred-bytes.ts';
import { libc, NodeDisk } from '../../storage/index.ts';
import { batch, openLog } from './batches.ts';

const DONT_NEED = 4;

/** Has the system forget what it holds of a file in memory. */
function dropFromPageCache(descriptor: number): void {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const fadvise = koffi.load(null).func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)');
  expect(fadvise(descriptor, 0, 0, DONT_NEED)).toBe(0);
}

describe.runIf(process.platform === 'linux')('what is not in the page cache', () => {
  it('is known, and is got off the disk before it is sent', async () => {
    const root = mkdtempSync(join(tmpdir(), 'odradek-cold-'));
    const disk = new NodeDisk();
    const log = openLog(disk, { dir: join(root, 't-0') });
    for (let i = 0; i < 40; i++) log.appendAsLeader(batch(1, { valueBytes: 100_000 }), 0);
    log.flushSync();
    const options = { upTo: log.logEndOffset, minOneBatch: true };
    const slice = log.slice(0, 4_000_000, options).records as DeferredBytes;
    const whole = Buffer.from(bytesOf(slice));
    const position = 1_000_000;
    const descriptor = openSync(log.segments[0].log.path, 'r');
    expect([libc()?.isCached(descriptor, position), slice.load(0, slice.length)]).toEqual([true, null]);
    dropFromPageCache(descriptor);
    // a file system in memory has nothing to drop
    if (!libc()?.isCached(descriptor, position)) {
      await slice.load(0, slice.length);
      expect([libc()?.isCached(descriptor, position), slice.load(0, slice.length)]).toEqual([true, null]);
    }
    expect(bytesOf(slice).equals(whole)).toBe(true);
    closeSync(descriptor);
    log.abandon();
    rmSync(root, { recursive: true });
  });
});
