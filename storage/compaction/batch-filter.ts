/** What of a batch outlives a compaction (Kafka: the RecordFilter of Cleaner, MemoryRecords.filterTo). */
import {
  attributes,
  baseOffset,
  baseTimestamp,
  COMPRESSION_MASK,
  CONTROL_BIT,
  CompressionType,
  DELETE_HORIZON_BIT,
  hasProducerId,
  lastOffset,
  producerEpoch,
  producerId,
  recordCount,
} from '../../protocol/records/batch.ts';
import { hasValidCrc } from '../../protocol/records/check.ts';
import { recordCursor } from '../../protocol/records/decode.ts';
import type { RecordCursor } from '../../protocol/records/record.ts';
import { LogError } from '../log-error.ts';
import { viewOf } from './batch-reader.ts';
import type { OffsetMap } from './offset-map.ts';
import { emptied, RecordRuns, rebuilt } from './rebuild.ts';
import type { CleanedTransactions } from './transactions.ts';
import type { ProducerEnd } from './worker.ts';

const NO_HORIZON = -1;

/** A batch as it is, or not at all; a buffer is what it becomes. */
export type Filtered = 'keep' | 'drop' | Buffer;

export interface FilterOptions {
  readonly map: OffsetMap;
  readonly transactions: CleanedTransactions;
  /** By producer id. */
  readonly producers: ReadonlyMap<number, ProducerEnd>;
  /** The batch that ends just before it stays in any case, so that the offset is not lost. */
  readonly endOffset: number;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
}

export class BatchFilter {
  recordsRead = 0;
  recordsKept = 0;
  readonly #options: FilterOptions;
  readonly #kept = new RecordRuns();

  constructor(options: FilterOptions) {
    this.#options = options;
  }

  /** `view` is of the same bytes as `buf`. Throws LogError or MalformedError for a batch that is damaged. */
  filter(buf: Buffer, view: DataView, at: number): Filtered {
    if (!hasValidCrc(buf, at)) throw new LogError('CORRUPT_MESSAGE', `bad CRC at offset ${baseOffset(buf, at)}`);
    this.recordsRead += recordCount(buf, at);
    return (attributes(buf, at) & CONTROL_BIT) === 0 ? this.#data(buf, view, at) : this.#control(buf, at);
  }

  /** A marker stays while records of its transaction do, and from then on until its delete horizon has passed. */
  #control(buf: Buffer, at: number): Filtered {
    const { transactions, nowMs } = this.#options;
    const isObsolete = transactions.onControlBatch(buf, at);
    const horizon = deleteHorizon(buf, at);
    const mayGo = isObsolete && horizon !== NO_HORIZON && horizon <= nowMs;
    if (mayGo || recordCount(buf, at) === 0) return this.#withoutRecords(buf, at);
    this.recordsKept += recordCount(buf, at);
    if (!isObsolete || horizon !== NO_HORIZON) return 'keep';
    const records = recordCursor(buf, at);
    this.#kept.clear();
    while (records.next()) this.#kept.add(records);
    return rebuilt(buf, at, records.buf, this.#kept, this.#newHorizon());
  }

  #data(buf: Buffer, view: DataView, at: number): Filtered {
    const { transactions } = this.#options;
    if (transactions.onBatch(buf, at) || recordCount(buf, at) === 0) return this.#withoutRecords(buf, at);
    const horizon = deleteHorizon(buf, at);
    const records = recordCursor(buf, at);
    const isCompressed = (attributes(buf, at) & COMPRESSION_MASK) !== CompressionType.NONE;
    const keptTombstones = this.#walk(buf, at, records, isCompressed ? viewOf(records.buf) : view, horizon);
    const kept = this.#kept;
    if (kept.count === 0) return this.#withoutRecords(buf, at);
    this.recordsKept += kept.count;
    if (keptTombstones && horizon === NO_HORIZON) return rebuilt(buf, at, records.buf, kept, this.#newHorizon());
    return kept.count === recordCount(buf, at) ? 'keep' : rebuilt(buf, at, records.buf, kept, NO_HORIZON);
  }

  /** Puts the records that stay into `#kept`; gives whether tombstones are among them. */
  #walk(buf: Buffer, at: number, records: RecordCursor, view: DataView, horizon: number): boolean {
    const { map, nowMs } = this.#options;
    const base = baseOffset(buf, at);
    const keepsTombstones = horizon === NO_HORIZON || nowMs < horizon;
    let keptTombstones = false;
    this.#kept.clear();
    for (let left = recordCount(buf, at); left > 0; left--) {
      if (!records.next()) throw new LogError('CORRUPT_MESSAGE', `${left} records are missing at offset ${base}`);
      const offset = base + records.offsetDelta;
      const isTombstone = records.valueBytes < 0;
      if (offset <= map.latestOffset) {
        if (records.keyBytes < 0 || (isTombstone && !keepsTombstones)) continue;
        if (offset < map.get(view, records.keyAt, records.keyBytes)) continue;
      }
      if (isTombstone) keptTombstones = true;
      this.#kept.add(records);
    }
    return keptTombstones;
  }

  /** The header stays where it says something that nothing else does. */
  #withoutRecords(buf: Buffer, at: number): Filtered {
    const isNeeded = this.#isLastOfProducer(buf, at) || lastOffset(buf, at) + 1 === this.#options.endOffset;
    return isNeeded ? emptied(buf, at) : 'drop';
  }

  /**
   * The sequence of a producer's last batch is where the next one has to go on; where only its marker is left, that one's epoch fences
   * older ones. A producer that is not known any more has expired.
   */
  #isLastOfProducer(buf: Buffer, at: number): boolean {
    if (!hasProducerId(buf, at)) return false;
    const producer = this.#options.producers.get(producerId(buf, at));
    if (producer === undefined) return false;
    if (producer.lastOffset >= 0) return producer.lastOffset === lastOffset(buf, at);
    return (attributes(buf, at) & CONTROL_BIT) !== 0 && producerEpoch(buf, at) === producer.epoch;
  }

  #newHorizon(): number {
    return this.#options.nowMs + this.#options.deleteRetentionMs;
  }
}

/** The time from which on tombstones and markers of the batch may go (KIP-534); -1 where a compaction is still to set it. */
function deleteHorizon(buf: Buffer, at: number): number {
  return (attributes(buf, at) & DELETE_HORIZON_BIT) === 0 ? NO_HORIZON : baseTimestamp(buf, at);
}
