import * as batch from '../../../protocol/records/batch.ts';
import { ControlRecordType, controlType } from '../../../protocol/records/control.ts';
import { readRecords } from '../../../protocol/records/decode.ts';
import type { AbortedTransaction } from '../../../storage/index.ts';
import type { FetchedBatch } from './acquire.ts';

/** A batch of the log and where it lies in the bytes that were read. */
export interface ReadBatch extends FetchedBatch {
  readonly position: number;
  readonly sizeBytes: number;
}

/** The batches in `records`, by their headers. */
export function batchesOf(records: Buffer): ReadBatch[] {
  const found: ReadBatch[] = [];
  for (let position = 0; position < records.length; ) {
    const sizeBytes = batch.sizeBytes(records, position);
    const baseOffset = batch.baseOffset(records, position);
    found.push({ baseOffset, lastOffset: batch.lastOffset(records, position), position, sizeBytes });
    position += sizeBytes;
  }
  return found;
}

/** The bytes of the batches that hold records from `firstOffset` to `lastOffset`. */
export function sliceOf(
  records: Buffer,
  batches: readonly ReadBatch[],
  firstOffset: number,
  lastOffset: number,
): Buffer {
  const held = batches.filter((one) => one.lastOffset >= firstOffset && one.baseOffset <= lastOffset);
  const end = held.at(-1);
  return end === undefined ? records.subarray(0, 0) : records.subarray(held[0].position, end.position + end.sizeBytes);
}

/** Those batches whose records a reader of committed records must not see, as a consumer tells them (KIP-98). */
export function abortedBatches(
  records: Buffer,
  batches: readonly ReadBatch[],
  aborted: readonly AbortedTransaction[],
): ReadBatch[] {
  const byFirstOffset = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<number>();
  const found: ReadBatch[] = [];
  let next = 0;
  for (const one of batches) {
    if (!batch.hasProducerId(records, one.position)) continue;
    while (next < byFirstOffset.length && byFirstOffset[next].firstOffset <= one.lastOffset) {
      open.add(byFirstOffset[next++].producerId);
    }
    const producerId = batch.producerId(records, one.position);
    const attributes = batch.attributes(records, one.position);
    if ((attributes & batch.CONTROL_BIT) !== 0) {
      if (isAbortMarker(records, one.position)) open.delete(producerId);
    } else if ((attributes & batch.TRANSACTIONAL_BIT) !== 0 && open.has(producerId)) {
      found.push(one);
    }
  }
  return found;
}

function isAbortMarker(records: Buffer, position: number): boolean {
  const [first] = readRecords(records, position);
  return first !== undefined && controlType(first.key) === ControlRecordType.ABORT;
}
