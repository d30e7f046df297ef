/**
 * How long it takes to open the logs of a data directory after an orderly end, after a kill, and after a power cut or anything else that
 * leaves nobody who vouches for the files:
 *
 *   node scripts/bench/open-logs.ts [--partitions 1000] [--segments 10] [--segment-kib 100] [--directory DIR] [--cold]
 *
 * Every partition has as many segments, all full of batches of 16 KiB from one idempotent producer; but for the orderly end the last segment of
 * each is above the recovery point. After a power cut files are checked in two threads, or in the one that opens the logs. Files come from the page
 * cache; with --cold (Linux, as root) from the disk. Prints milliseconds, the best of three rounds.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { CLEAN_SHUTDOWN_FILE } from '../../storage/checkpoints.ts';
import { checkInThreads, DEFAULT_LOG_CONFIG, type Disk, LogDir, NodeDisk } from '../../storage/index.ts';

const BATCH_BYTES = 16_384;
const ROUNDS = 3;
const THREADS = 2;
const TOPIC_ID = 'openlogsopenlogsopenlo';

const { values } = parseArgs({
  options: {
    partitions: { type: 'string', default: '1000' },
    segments: { type: 'string', default: '10' },
    'segment-kib': { type: 'string', default: '100' },
    directory: { type: 'string', default: tmpdir() },
    cold: { type: 'boolean', default: false },
  },
});
const partitions = Number(values.partitions);
const segments = Number(values.segments);
const segmentBytes = Number(values['segment-kib']) * 1024;
const config = { ...DEFAULT_LOG_CONFIG, segmentBytes };
const root = mkdtempSync(join(values.directory, 'odradek-open-'));

try {
  const path = join(root, 'data');
  await fill(path);
  const clean = await best(path, (copy) => openClean(copy));
  const killed = await best(path, (copy) => openUnclean(copy, true));
  const unclean = await best(path, (copy) => openUnclean(copy, false));
  const inThreads = await best(path, (copy) => openUnclean(copy, false, THREADS));
  const size = ((partitions * segments * segmentBytes) / 1e9).toFixed(1);
  console.log(`${partitions} partitions, ${segments} segments each, ${size} GB`);
  console.log(
    `after an orderly end: ${clean.toFixed(0)} ms; after a kill: ${killed.toFixed(0)} ms; ` +
      `after a power cut: ${unclean.toFixed(0)} ms, with ${THREADS} threads ${inThreads.toFixed(0)} ms`,
  );
} finally {
  rmSync(root, { recursive: true });
}

/** Its directories are as a process leaves them that is killed while it vouches for them. */
function vouchedDisk(): Disk {
  const disk = new NodeDisk();
  const lock = disk.lock.bind(disk);
  disk.lock = (path) => Object.assign(lock(path), { vouched: true });
  return disk;
}

function openDir(path: string, disk: Disk = new NodeDisk()): LogDir {
  return LogDir.open({ disk, path, clock: { nowMs: () => Date.now() }, unique: () => 'unique' });
}

function openAll(dir: LogDir): void {
  for (let partition = 0; partition < partitions; partition++) dir.openOrCreate('t', partition, TOPIC_ID, config);
}

/** Leaves a directory that was closed in an orderly way, with a recovery point at the start of each last segment. */
async function fill(path: string): Promise<void> {
  const dir = openDir(path);
  const perSegment = Math.floor(segmentBytes / BATCH_BYTES);
  const value = Buffer.alloc(BATCH_BYTES - 100, 7);
  for (let partition = 0; partition < partitions; partition++) {
    const log = dir.openOrCreate('t', partition, TOPIC_ID, config);
    for (let i = 0; i < segments * perSegment; i++) {
      const producer = { producerId: 1, producerEpoch: 0, baseSequence: i };
      log.appendAsLeader(encodeBatch([{ value, timestamp: Date.now() }], producer), 0);
      // Flushes under way keep their files open.
      if ((i + 1) % perSegment === 0 && i + 1 < segments * perSegment) await log.flush();
    }
  }
  await dir.checkpoint();
  await dir.close({ durable: false });
}

/** Milliseconds. */
async function openClean(path: string, disk?: Disk, threads = 0): Promise<number> {
  const begunMs = performance.now();
  const dir = openDir(path, disk);
  if (threads > 0) dir.filesChecked(await checkInThreads(dir.filesToCheck(), threads));
  openAll(dir);
  const tookMs = performance.now() - begunMs;
  dir.abandon();
  return tookMs;
}

function openUnclean(path: string, vouched: boolean, threads = 0): Promise<number> {
  rmSync(join(path, CLEAN_SHUTDOWN_FILE), { force: true });
  return openClean(path, vouched ? vouchedDisk() : new NodeDisk(), threads);
}

function emptyPageCache(): void {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

async function best(path: string, open: (path: string) => Promise<number>): Promise<number> {
  let fastestMs = Number.POSITIVE_INFINITY;
  const copy = `${path}-copy`;
  for (let round = 0; round < ROUNDS; round++) {
    cpSync(path, copy, { recursive: true });
    if (!existsSync(join(copy, CLEAN_SHUTDOWN_FILE))) throw new Error('the logs were not closed in an orderly way');
    if (values.cold) emptyPageCache();
    fastestMs = Math.min(fastestMs, await open(copy));
    rmSync(copy, { recursive: true });
  }
  return fastestMs;
}
