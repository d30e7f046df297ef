/** Batches as the simulation looks at them: parsed once, compared by their bytes. */
import * as header from '../../protocol/records/batch.ts';
import type { Log } from '../../storage/index.ts';
import { readTransactionMarker } from '../../storage/transaction-marker.ts';
import { ensure } from './invariant.ts';

export interface ModelBatch {
  readonly base: number;
  readonly last: number;
  readonly bytes: Buffer;
  readonly epoch: number;
  /** -1: none. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly marker: 'commit' | 'abort' | null;
}

export function parseBatches(bytes: Buffer): ModelBatch[] {
  const batches: ModelBatch[] = [];
  for (let at = 0; at < bytes.length; at += header.sizeBytes(bytes, at)) batches.push(parseBatch(bytes, at));
  return batches;
}

function parseBatch(bytes: Buffer, at: number): ModelBatch {
  const isControl = (header.attributes(bytes, at) & header.CONTROL_BIT) !== 0;
  const marker = isControl ? readTransactionMarker(bytes, at) : null;
  return {
    base: header.baseOffset(bytes, at),
    last: header.lastOffset(bytes, at),
    bytes: Buffer.from(bytes.subarray(at, at + header.sizeBytes(bytes, at))),
    epoch: header.leaderEpoch(bytes, at),
    producerId: header.hasProducerId(bytes, at) ? header.producerId(bytes, at) : -1,
    producerEpoch: header.producerEpoch(bytes, at),
    baseSequence: header.baseSequence(bytes, at),
    isTransactional: !isControl && (header.attributes(bytes, at) & header.TRANSACTIONAL_BIT) !== 0,
    marker: marker === null ? null : marker.aborted ? 'abort' : 'commit',
  };
}

/** All that a reader gets from `from` on; with `hasGaps`, the last offsets may be without records. */
export function readBatches(log: Log, from: number = log.logStartOffset, hasGaps = false): ModelBatch[] {
  const batches: ModelBatch[] = [];
  for (let offset = from; offset < log.logEndOffset; ) {
    const { records } = log.read(offset, 4000, { upTo: log.logEndOffset, minOneBatch: true });
    const next = parseBatches(records);
    if (hasGaps && next.length === 0) break;
    ensure(
      'reads go on',
      next.length > 0,
      () => `nothing at ${offset} of ${log.dir}, which ends at ${log.logEndOffset}`,
    );
    batches.push(...next);
    offset = next[next.length - 1].last + 1;
  }
  return batches;
}
