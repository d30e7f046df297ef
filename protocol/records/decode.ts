/** From a whole v2 batch to its records. */
import { MalformedError } from '../malformed.ts';
import * as batch from './batch.ts';
import { decompress, MAX_DECOMPRESSED_BYTES } from './compression.ts';
import { type KafkaRecord, RecordCursor } from './record.ts';

/** A cursor over the records of the batch at `at`, decompressed where needed; the batch has to be whole. */
export function recordCursor(buf: Buffer, at = 0, maxBytes = MAX_DECOMPRESSED_BYTES): RecordCursor {
  const type = batch.attributes(buf, at) & batch.COMPRESSION_MASK;
  const from = at + batch.BATCH_HEADER_BYTES;
  const to = at + batch.sizeBytes(buf, at);
  if (type === batch.CompressionType.NONE) return new RecordCursor(buf, from, to);
  return new RecordCursor(decompress(type, buf.subarray(from, to), maxBytes));
}

/** True where all records carry the time of the append, which the header has as its maximum timestamp. */
export function hasLogAppendTime(buf: Buffer, at: number): boolean {
  return (batch.attributes(buf, at) & batch.TIMESTAMP_TYPE_BIT) !== 0;
}

/**
 * The records of the batch at `at`, which has to be whole and have a valid CRC. Throws MalformedError where the records
 * are not what the header says. Keys and values are views of the batch or of its decompressed content.
 */
export function readRecords(buf: Buffer, at = 0, maxBytes = MAX_DECOMPRESSED_BYTES): KafkaRecord[] {
  const count = batch.recordCount(buf, at);
  const records: KafkaRecord[] = [];
  // compaction leaves batches without records behind, whatever their codec
  if (count === 0) return records;
  const cursor = recordCursor(buf, at, maxBytes);
  const baseOffset = batch.baseOffset(buf, at);
  const baseTimestamp = batch.baseTimestamp(buf, at);
  const appendTime = hasLogAppendTime(buf, at) ? batch.maxTimestamp(buf, at) : null;
  while (records.length < count && cursor.next()) {
    records.push({
      offset: baseOffset + cursor.offsetDelta,
      timestamp: appendTime ?? baseTimestamp + cursor.timestampDelta,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    });
  }
  if (records.length !== count) throw new MalformedError(`${records.length} records in a batch of ${count}`);
  if (!cursor.atEnd()) throw new MalformedError(`more than the ${count} records that the batch counts`);
  return records;
}
