/** Batches with fewer records than before, and otherwise the same (Kafka: MemoryRecords.buildRetainedRecordsInto). */
import {
  attributes,
  BATCH_HEADER_BYTES,
  baseOffset,
  baseSequence,
  baseTimestamp,
  COMPRESSION_MASK,
  CONTROL_BIT,
  type CompressionTypeId,
  DELETE_HORIZON_BIT,
  lastOffsetDelta,
  leaderEpoch,
  maxTimestamp,
  NO_TIMESTAMP,
  producerEpoch,
  TIMESTAMP_TYPE_BIT,
  TRANSACTIONAL_BIT,
} from '../../protocol/records/batch.ts';
import { BatchBuilder, type BatchOptions, encodeBatchOf } from '../../protocol/records/encode.ts';
import { RecordCursor } from '../../protocol/records/record.ts';

const NO_BYTES = Buffer.alloc(0);

/** Records of one batch, as stretches of bytes and how many they are. */
export class RecordRuns {
  count = 0;
  maxTimestampDelta = 0;
  /** From, to, from, to... */
  bounds = new Int32Array(64);
  boundCount = 0;

  clear(): void {
    this.count = 0;
    this.boundCount = 0;
  }

  /** Adds the record that the cursor stands on. */
  add(record: RecordCursor): void {
    const { timestampDelta } = record;
    if (this.count === 0 || timestampDelta > this.maxTimestampDelta) this.maxTimestampDelta = timestampDelta;
    this.count += 1;
    if (this.boundCount > 0 && this.bounds[this.boundCount - 1] === record.start) {
      this.bounds[this.boundCount - 1] = record.end;
      return;
    }
    if (this.boundCount === this.bounds.length) this.#grow();
    this.bounds[this.boundCount++] = record.start;
    this.bounds[this.boundCount++] = record.end;
  }

  #grow(): void {
    const grown = new Int32Array(2 * this.bounds.length);
    grown.set(this.bounds);
    this.bounds = grown;
  }
}

/**
 * The batch at `at` with the `kept` records only, which stand in `records` (decompressed). `newHorizonMs` is the delete horizon that the batch
 * gets by this; -1: it keeps the one that it has, or has none. The horizon is the base timestamp (KIP-534), so a new one changes every
 * record; otherwise their bytes stay.
 */
export function rebuilt(buf: Buffer, at: number, records: Buffer, kept: RecordRuns, newHorizonMs: number): Buffer {
  const bits = attributes(buf, at);
  const hasAppendTime = (bits & TIMESTAMP_TYPE_BIT) !== 0;
  const base = baseTimestamp(buf, at);
  const hasNewHorizon = newHorizonMs >= 0;
  const encoded = {
    bytes: hasNewHorizon ? rebased(records, kept, base, newHorizonMs) : copied(records, kept),
    count: kept.count,
    lastOffsetDelta: lastOffsetDelta(buf, at),
    baseTimestamp: hasNewHorizon ? newHorizonMs : base,
    maxTimestamp: hasAppendTime ? maxTimestamp(buf, at) : base + kept.maxTimestampDelta,
  };
  return encodeBatchOf(encoded, {
    ...headerOf(buf, at),
    compression: (bits & COMPRESSION_MASK) as CompressionTypeId,
    deleteHorizon: hasNewHorizon || (bits & DELETE_HORIZON_BIT) !== 0,
  });
}

/** The header alone, which says that there are no records. */
export function emptied(buf: Buffer, at: number): Buffer {
  const encoded = {
    bytes: NO_BYTES,
    count: 0,
    lastOffsetDelta: lastOffsetDelta(buf, at),
    baseTimestamp: NO_TIMESTAMP,
    maxTimestamp: maxTimestamp(buf, at),
  };
  return encodeBatchOf(encoded, headerOf(buf, at));
}

function headerOf(buf: Buffer, at: number): BatchOptions {
  const bits = attributes(buf, at);
  return {
    baseOffset: baseOffset(buf, at),
    leaderEpoch: leaderEpoch(buf, at),
    // Bit for bit, even where a double would not hold it.
    producerId: buf.readBigInt64BE(at + 43),
    producerEpoch: producerEpoch(buf, at),
    baseSequence: baseSequence(buf, at),
    transactional: (bits & TRANSACTIONAL_BIT) !== 0,
    control: (bits & CONTROL_BIT) !== 0,
    logAppendTime: (bits & TIMESTAMP_TYPE_BIT) === 0 ? undefined : maxTimestamp(buf, at),
  };
}

function copied(records: Buffer, kept: RecordRuns): Buffer {
  const { bounds, boundCount } = kept;
  let size = 0;
  for (let i = 0; i < boundCount; i += 2) size += bounds[i + 1] - bounds[i];
  const out = Buffer.allocUnsafe(size);
  let to = 0;
  for (let i = 0; i < boundCount; i += 2) to += records.copy(out, to, bounds[i], bounds[i + 1]);
  return out;
}

/** The records with timestamps that count from `newBase` instead of `oldBase`. */
function rebased(records: Buffer, kept: RecordRuns, oldBase: number, newBase: number): Buffer {
  const builder = new BatchBuilder(0, { baseTimestamp: newBase, expectedBytes: records.length });
  for (let i = 0; i < kept.boundCount; i += 2) {
    const cursor = new RecordCursor(records, kept.bounds[i], kept.bounds[i + 1]);
    while (cursor.next()) {
      const timestamp = oldBase + cursor.timestampDelta;
      const [key, value, headers] = [cursor.key(), cursor.value(), cursor.headers()];
      builder.append({ offset: cursor.offsetDelta, timestamp, key, value, headers });
    }
  }
  return builder.build().subarray(BATCH_HEADER_BYTES);
}
