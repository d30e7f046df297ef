/** The aborted transactions of a segment, from its batches: what its transaction index has to hold. */
import { baseOffset } from '../protocol/records/batch.ts';
import { checkIfNeeded, loadProducers, type ProducerSource } from './load-producers.ts';
import type { Segment } from './segment.ts';
import type { AbortedTransactionEntry } from './transaction-index.ts';

/** Those whose marker is in `segment` below offset `upTo`. Throws LogError where batches are damaged that have to be read. */
export function abortedIn(segment: Segment, upTo: number, source: ProducerSource): AbortedTransactionEntry[] {
  if (segment.sizeBytes === 0) return [];
  const producers = loadProducers(source, segment.baseOffset);
  const aborted: AbortedTransactionEntry[] = [];
  const cursor = segment.cursor(0);
  for (; cursor.loadSound() && baseOffset(cursor.buf, cursor.at) < upTo; cursor.advance()) {
    checkIfNeeded(cursor);
    producers.updateBatch(cursor.buf, cursor.at, ({ aborted: isAborted, ...entry }) => {
      if (isAborted) aborted.push(entry);
    });
  }
  return aborted;
}
