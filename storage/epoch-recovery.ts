/** Leader epochs where leader-epoch-checkpoint cannot be read: the batches tell them as well. */
import { baseOffset, leaderEpoch } from '../protocol/records/batch.ts';
import { MalformedCheckpoint } from './checkpoints.ts';
import type { Disk } from './disk.ts';
import { type EpochStart, LeaderEpochs, UNDEFINED_EPOCH } from './leader-epochs.ts';
import type { StorageLogger } from './logger.ts';
import type { Segment } from './segment.ts';

export interface EpochSource {
  readonly disk: Disk;
  readonly dir: string;
  readonly hasEpochFile: boolean;
  /** In order; the batches in them are sound. */
  readonly segments: readonly Segment[];
  readonly logger: StorageLogger;
}

/** The epochs as the file has them; as the segments do, with a warning, where it is malformed. Throws DiskError and LogError. */
export function loadEpochs({ disk, dir, hasEpochFile, segments, logger }: EpochSource): LeaderEpochs {
  try {
    return new LeaderEpochs(disk, dir, hasEpochFile);
  } catch (error) {
    if (!(error instanceof MalformedCheckpoint)) throw error;
    const rebuilt = epochsIn(segments);
    logger.warn({ file: error.path, reason: error.message, epochs: rebuilt.length }, 'leader epochs are made anew');
    return new LeaderEpochs(disk, dir, hasEpochFile, rebuilt);
  }
}

function epochsIn(segments: readonly Segment[]): EpochStart[] {
  const found: EpochStart[] = [];
  const held = segments.filter((segment) => segment.sizeBytes > 0);
  for (const [i, segment] of held.entries()) {
    const next = held.at(i + 1);
    // epochs never fall: where the next segment begins with the same one, there is no other in between
    const isOne = next !== undefined && firstEpoch(next) === firstEpoch(segment);
    addEpochs(segment, isOne, found);
  }
  return found;
}

function addEpochs(segment: Segment, isFirstEnough: boolean, found: EpochStart[]): void {
  const cursor = segment.cursor(0);
  for (; cursor.loadSound(); cursor.advance()) {
    const epoch = leaderEpoch(cursor.buf, cursor.at);
    const latest = found.at(-1)?.epoch ?? UNDEFINED_EPOCH;
    if (epoch > latest) found.push({ epoch, startOffset: baseOffset(cursor.buf, cursor.at) });
    if (isFirstEnough) return;
  }
}

function firstEpoch(segment: Segment): number {
  const cursor = segment.cursor(0);
  return cursor.loadSound() ? leaderEpoch(cursor.buf, cursor.at) : UNDEFINED_EPOCH;
}
