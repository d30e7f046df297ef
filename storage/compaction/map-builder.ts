/** Fills the offset map from the dirty part of a log (Kafka: Cleaner.buildOffsetMap). */
import {
  attributes,
  baseOffset,
  COMPRESSION_MASK,
  CONTROL_BIT,
  CompressionType,
  lastOffset,
  recordCount,
} from '../../protocol/records/batch.ts';
import { recordCursor } from '../../protocol/records/decode.ts';
import { viewOf } from './batch-reader.ts';
import type { OffsetMap } from './offset-map.ts';
import type { CleanedTransactions } from './transactions.ts';

export class MapBuilder {
  readonly firstDirtyOffset: number;
  readonly #map: OffsetMap;
  readonly #transactions: CleanedTransactions;

  constructor(map: OffsetMap, transactions: CleanedTransactions, firstDirtyOffset: number) {
    this.#map = map;
    this.#transactions = transactions;
    this.firstDirtyOffset = firstDirtyOffset;
  }

  /** Takes the keys of the batch at `at` of `buf`, which `view` shows too. False when the map is full: it ends with the last key that fitted. */
  add(buf: Buffer, view: DataView, at: number): boolean {
    if ((attributes(buf, at) & CONTROL_BIT) !== 0) this.#transactions.onControlBatch(buf, at);
    // What was aborted supersedes nothing.
    else if (!this.#transactions.onBatch(buf, at) && !this.#addRecords(buf, view, at)) return false;
    const last = lastOffset(buf, at);
    if (last >= this.firstDirtyOffset) this.#map.latestOffset = last;
    return true;
  }

  #addRecords(buf: Buffer, view: DataView, at: number): boolean {
    const map = this.#map;
    const base = baseOffset(buf, at);
    let left = recordCount(buf, at);
    if (left === 0) return true;
    const records = recordCursor(buf, at);
    const isCompressed = (attributes(buf, at) & COMPRESSION_MASK) !== CompressionType.NONE;
    const keys = isCompressed ? viewOf(records.buf) : view;
    for (; left > 0 && records.next(); left--) {
      const offset = base + records.offsetDelta;
      if (records.keyBytes < 0 || offset < this.firstDirtyOffset) continue;
      if (!map.put(keys, records.keyAt, records.keyBytes, offset)) return false;
      map.latestOffset = offset;
    }
    return true;
  }
}
