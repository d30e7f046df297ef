/**
 * How fast a log is checked after a crash, beside the raw speed of reading the same file and computing CRC-32C over it:
 *
 *   node scripts/bench/recovery.ts [--size-mib 1024] [--directory DIR]
 *
 * One segment file of batches of 16 KiB, then one of 1 KiB, both read before so that they come from the page cache. "raw" reads and sums
 * 256 KiB at a time, whatever is in them; "raw by batch" sums each batch on its own, as its CRC has it, knowing how long they are.
 * Prints the best of the rounds of each, which take turns, in GB by second of CPU time (one thread works, and nothing waits for a disk, so that
 * other load on the machine counts less), and what part of either recovery reaches. "after a kill" is the same log where the
 * killed process has vouched for what it wrote: then only headers are looked at, and the rate is that of the bytes passed over.
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crc32c } from '@node-rs/crc32';
import { setBaseOffset } from '../../protocol/records/batch.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { DEFAULT_LOG_CONFIG, Log, NodeDisk } from '../../storage/index.ts';

const MIB = 1_048_576;
const RAW_READ_BYTES = 262_144;
const ROUNDS = 5;
const BATCH_BYTES = [16_384, 1024];
const TOPIC_ID = 'recoveryrecoveryrecove';

const { values } = parseArgs({
  options: { 'size-mib': { type: 'string', default: '1024' }, directory: { type: 'string', default: tmpdir() } },
});
const sizeBytes = Number(values['size-mib']) * MIB;
const root = mkdtempSync(join(values.directory, 'odradek-recovery-'));

try {
  for (const batchBytes of BATCH_BYTES) {
    const dir = join(root, `t-${batchBytes}`);
    const path = writeSegment(dir, batchBytes);
    const [raw, rawByBatch, recovery, afterKill] = best([
      () => readRaw(path, RAW_READ_BYTES),
      () => readRaw(path, batchBytes),
      () => recover(dir, false),
      () => recover(dir, true),
    ]);
    console.log(
      `batches of ${batchBytes} bytes: raw ${raw.toFixed(2)} GB/s, raw by batch ${rawByBatch.toFixed(2)} GB/s, ` +
        `recovery ${recovery.toFixed(2)} GB/s: ${(recovery / raw).toFixed(2)} and ${(recovery / rawByBatch).toFixed(2)}; ` +
        `after a kill ${afterKill.toFixed(2)} GB/s`,
    );
    rmSync(dir, { recursive: true });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** A log of one segment, as a killed process leaves it; its path. */
function writeSegment(dir: string, batchBytes: number): string {
  mkdirSync(dir);
  const path = join(dir, '00000000000000000000.log');
  // One record that fills the batch: 61 bytes of header, about 10 around the value.
  const batch = encodeBatch([{ value: Buffer.alloc(batchBytes - 71, 7), timestamp: 1_700_000_000_000 }]);
  const perWrite = Math.ceil(MIB / batch.length);
  const chunk = Buffer.concat(Array.from({ length: perWrite }, () => batch));
  const fd = openSync(path, 'w');
  for (let offset = 0; offset * batch.length < sizeBytes; offset += perWrite) {
    for (let i = 0; i < perWrite; i++) setBaseOffset(chunk, i * batch.length, offset + i);
    writeSync(fd, chunk);
  }
  closeSync(fd);
  return path;
}

/** Sums `stepBytes` at a time; gives the bytes that it has gone over. */
function readRaw(path: string, stepBytes: number): number {
  const fd = openSync(path, 'r');
  const buffer = Buffer.allocUnsafeSlow(RAW_READ_BYTES);
  let position = 0;
  for (;;) {
    const count = readSync(fd, buffer, 0, buffer.length, position);
    if (count === 0) break;
    for (let at = 0; at < count; at += stepBytes) crc32c(buffer.subarray(at, Math.min(count, at + stepBytes)));
    position += count;
  }
  closeSync(fd);
  return position;
}

function recover(dir: string, vouched: boolean): number {
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: 2 * sizeBytes };
  const options = { disk: new NodeDisk(), dir, topic: 't', partition: 0, topicId: TOPIC_ID, config, clean: false };
  const log = Log.open({ ...options, vouched, clock: { nowMs: () => Date.now() } });
  const bytes = log.sizeBytes;
  log.abandon();
  return bytes;
}

/** GB by second of CPU time, the best round of each action. */
function best(actions: readonly (() => number)[]): number[] {
  const fastest = actions.map(() => 0);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, action] of actions.entries()) {
      const begun = process.cpuUsage();
      const bytes = action();
      const { user, system } = process.cpuUsage(begun);
      fastest[i] = Math.max(fastest[i], bytes / (user + system) / 1e3);
    }
  }
  return fastest;
}
