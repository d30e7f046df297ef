/**
 * A bit flips in data that was on disk for good. Storage must not answer by cutting: either the log does not open and says where the damage
 * is, or it is as long as before and a reader of that place gets the damaged bytes or an error.
 */
import * as header from '../../protocol/records/batch.ts';
import { LOG_START_CHECKPOINT, RECOVERY_POINT_CHECKPOINT, readOffsetCheckpoint } from '../../storage/checkpoints.ts';
import { type LogConfig, LogDir, LogError } from '../../storage/index.ts';
import { readTopicId } from '../../storage/partition-metadata.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { FaultyDisk } from './faulty-disk.ts';
import { ensure } from './invariant.ts';

export interface DamagedPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly config: LogConfig;
}

interface Damage {
  readonly path: string;
  readonly bit: number;
  /** Of the batch that the bit is in. */
  readonly base: number;
  readonly recoveryPoint: number;
}

/** Opens `partition` in `dataDir` with a bit flipped below its recovery point, and ends as a killed process would. */
export function damageAndCheck(
  disk: FaultyDisk,
  random: SeededRandom,
  dataDir: string,
  partition: DamagedPartition,
): void {
  const damage = chooseDamage(disk, random, dataDir, partition);
  if (damage === null) return;
  disk.flipBit(damage.path, damage.bit);
  const dir = LogDir.open({ disk, path: dataDir, clock: { nowMs: () => 0 }, unique: () => 'damaged' });
  let failure: unknown = null;
  try {
    const log = dir.openOrCreate(partition.topic, 0, partition.topicId, partition.config);
    const durableEnd = Math.max(log.logStartOffset, damage.recoveryPoint);
    ensure('nothing durable is cut', log.logEndOffset >= durableEnd, () => describe(damage));
    if (damage.base >= log.logStartOffset) {
      const { records } = log.read(damage.base, 1, { upTo: log.logEndOffset, minOneBatch: true });
      ensure('damage is not skipped', header.baseOffset(records, 0) === damage.base, () => describe(damage));
    }
  } catch (error) {
    failure = error;
  }
  if (failure !== null && !disk.isDead) checkFailure(failure, damage);
  disk.kill();
  disk.flipBit(damage.path, damage.bit);
}

function checkFailure(failure: unknown, damage: Damage): void {
  if (!(failure instanceof LogError)) throw failure;
  const tells = failure.code === 'KAFKA_STORAGE_ERROR' && failure.message.includes(damage.path);
  ensure('damage is named', tells && /byte \d+/.test(failure.message), () => `${describe(damage)}: ${failure.message}`);
}

const describe = ({ path, bit, base, recoveryPoint }: Damage): string =>
  `bit ${bit} of ${path}, batch ${base}, recovery point ${recoveryPoint}`;

function chooseDamage(
  disk: FaultyDisk,
  random: SeededRandom,
  dataDir: string,
  { topic, topicId }: DamagedPartition,
): Damage | null {
  const folder = `${dataDir}/${topic}-0`;
  // A folder that a deleted topic left is none of ours.
  if (readTopicId(disk, folder) !== topicId) return null;
  const names = disk.list(folder);
  // The next start removes a file that a compacted one is about to replace.
  if (names.some((name) => name.endsWith('.swap'))) return null;
  const files = names.filter((name) => name.endsWith('.log'));
  const recoveryPoint = readOffsetCheckpoint(disk, `${dataDir}/${RECOVERY_POINT_CHECKPOINT}`).get(`${topic}-0`) ?? 0;
  const logStartOffset = readOffsetCheckpoint(disk, `${dataDir}/${LOG_START_CHECKPOINT}`).get(`${topic}-0`) ?? 0;
  // Where all of it is deleted, it may be cut.
  if (files.length === 0 || recoveryPoint <= logStartOffset) return null;
  const path = `${folder}/${random.pick(files)}`;
  const bytes = disk.readFile(path) as Buffer;
  const places: { at: number; base: number }[] = [];
  for (let at = 0; at + header.BATCH_HEADER_BYTES <= bytes.length; at += header.sizeBytes(bytes, at)) {
    // Behind the log start anything goes: what is deleted need not be whole.
    const isWhole = header.magic(bytes, at) === header.MAGIC_V2 && at + header.sizeBytes(bytes, at) <= bytes.length;
    if (!isWhole || header.lastOffset(bytes, at) >= recoveryPoint) break;
    places.push({ at, base: header.baseOffset(bytes, at) });
  }
  if (places.length === 0) return null;
  const { at, base } = random.pick(places);
  return {
    path,
    bit: (at + coveredByte(random, header.sizeBytes(bytes, at))) * 8 + random.int(8),
    base,
    recoveryPoint,
  };
}

/** No CRC covers base offset and leader epoch; and only a scan looks at whether the last offset delta is right. */
function coveredByte(random: SeededRandom, sizeBytes: number): number {
  for (;;) {
    const at = 8 + random.int(sizeBytes - 8);
    if ((at < 12 || at > 15) && (at < 23 || at > 26)) return at;
  }
}
