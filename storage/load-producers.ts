/** The producers as they were at an offset of the log, from a snapshot and the batches that follow it. */
import { baseOffset } from '../protocol/records/batch.ts';
import { hasValidCrc } from '../protocol/records/check.ts';
import type { BatchCursor } from './batch-cursor.ts';
import { damaged } from './log-error.ts';
import type { ProducerSnapshots } from './producer-snapshot.ts';
import { isExpired, ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';
import { CRC_MISMATCH, needsItsCrc } from './segment-recovery.ts';

export interface ProducerSource {
  segments: readonly Segment[];
  snapshots: ProducerSnapshots;
  producerIdExpirationMs: number;
  nowMs: number;
  /** The log was closed in an orderly way when its newest snapshot was written. */
  clean: boolean;
}

/** The producers as of `upTo`: from the newest snapshot below it and the batches that follow. */
export function loadProducers(source: ProducerSource, upTo: number): ProducerState {
  const producers = new ProducerState();
  const hadSnapshots = source.snapshots.offsets.length > 0;
  const snapshot = source.snapshots.readNewest(upTo);
  if (snapshot !== null) {
    producers.load(snapshot.entries.filter((entry) => !isExpired(entry, source.nowMs, source.producerIdExpirationMs)));
  } else if (source.clean && !hadSnapshots) {
    // As Kafka has it: a log that was closed and has no snapshot never knew a producer.
    return producers;
  }
  // Batches below the log start count as well, as long as they are there: what an old snapshot says of their producers is outdated.
  replayProducers(producers, source.segments, snapshot?.offset ?? 0, upTo);
  return producers;
}

/** Batches in [from, upTo), which are in the log for good: transaction indexes have them already. */
function replayProducers(producers: ProducerState, segments: readonly Segment[], from: number, upTo: number): void {
  for (const [i, segment] of segments.entries()) {
    if (segment.baseOffset >= upTo) return;
    if (i + 1 < segments.length && segments[i + 1].baseOffset <= from) continue;
    const position = segment.locate(from);
    if (position < 0) continue;
    const cursor = segment.cursor(position);
    for (; cursor.loadSound() && baseOffset(cursor.buf, cursor.at) < upTo; cursor.advance()) {
      checkIfNeeded(cursor);
      producers.updateBatch(cursor.buf, cursor.at, () => {});
    }
  }
}

/** A marker is the one batch whose records are looked at, so they have to be right. Throws LogError. */
export function checkIfNeeded(cursor: BatchCursor): void {
  if (!needsItsCrc(cursor.buf, cursor.at)) return;
  cursor.loadWhole();
  if (!hasValidCrc(cursor.buf, cursor.at)) throw damaged(cursor.path, cursor.position, CRC_MISMATCH);
}
