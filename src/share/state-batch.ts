/** What becomes of a record in a share group, by Kafka's numbers (RecordState); 3 is not used. */
export const RecordState = { AVAILABLE: 0, ACQUIRED: 1, ACKNOWLEDGED: 2, ARCHIVED: 4 } as const;
export type RecordState = (typeof RecordState)[keyof typeof RecordState];

/** Records in a row, both ends included, that are in one state and have been delivered equally often. */
export interface StateBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** A `RecordState`, or whatever a client of the share coordinator has written. */
  readonly deliveryState: number;
  readonly deliveryCount: number;
}

/** Whether `b` is the later state of a record: deliveries are only ever counted up, and after the same one the state grows. */
function isLater(a: StateBatch, b: StateBatch): boolean {
  return (
    b.deliveryCount - a.deliveryCount > 0 || (b.deliveryCount === a.deliveryCount && b.deliveryState > a.deliveryState)
  );
}

const isSame = (a: StateBatch, b: StateBatch): boolean =>
  a.deliveryCount === b.deliveryCount && a.deliveryState === b.deliveryState;

/**
 * One list out of those that may overlap: sorted, without overlaps, and as short as it can be. Of two states of a record the later
 * one stays; what lies below `startOffset` goes (-1: nothing does). Gaps stay gaps.
 */
export function combineBatches(batches: readonly StateBatch[], startOffset: number): StateBatch[] {
  const kept = batches
    .filter(({ lastOffset }) => startOffset === -1 || lastOffset >= startOffset)
    .map((batch) => (batch.firstOffset < startOffset ? { ...batch, firstOffset: startOffset } : batch));
  if (kept.length < 2) return kept;
  kept.sort((a, b) => a.firstOffset - b.firstOffset);
  const edges = [...new Set(kept.flatMap(({ firstOffset, lastOffset }) => [firstOffset, lastOffset + 1]))];
  edges.sort((a, b) => a - b);
  const combined: StateBatch[] = [];
  let covering: StateBatch[] = [];
  let next = 0;
  for (let i = 0; i + 1 < edges.length; i++) {
    const [firstOffset, lastOffset] = [edges[i], edges[i + 1] - 1];
    covering = covering.filter((batch) => batch.lastOffset >= firstOffset);
    while (next < kept.length && kept[next].firstOffset === firstOffset) covering.push(kept[next++]);
    if (covering.length === 0) continue;
    const latest = covering.reduce((a, b) => (isLater(a, b) ? b : a));
    append(combined, { ...latest, firstOffset, lastOffset });
  }
  return combined;
}

/** Puts a batch at the end, as part of the last one where they say the same. */
function append(batches: StateBatch[], batch: StateBatch): void {
  const last = batches.at(-1);
  if (last !== undefined && last.lastOffset + 1 === batch.firstOffset && isSame(last, batch)) {
    batches[batches.length - 1] = { ...last, lastOffset: batch.lastOffset };
  } else {
    batches.push(batch);
  }
}
