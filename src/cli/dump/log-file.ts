/** A file of record batches (a segment of a log, or a snapshot of the metadata) as lines: one a batch, and one a record. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32c } from '@node-rs/crc32';
import type { JsonObject } from '../../../protocol/json.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import * as batch from '../../../protocol/records/batch.ts';
import { readControlRecord } from '../../../protocol/records/control.ts';
import { readRecords } from '../../../protocol/records/decode.ts';
import { readLegacyRecords } from '../../../protocol/records/legacy.ts';
import type { KafkaRecord } from '../../../protocol/records/record.ts';
import { type BatchHeader, batchHeader, batchPrefix } from './layouts.ts';
import { type PayloadReader, plain } from './payloads.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const CRC_COVERS_FROM = 21;

/** `readPayload`: null where records are not asked for. What cannot be read is the last line, with an "error". */
export function* logLines(path: string, readPayload: PayloadReader | null): Generator<JsonObject> {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    for (let position = 0; position < size; ) {
      const bytes = readBatch(file, position, size);
      if (typeof bytes === 'string') {
        yield { position, error: bytes };
        return;
      }
      yield* batchLines(bytes, position, readPayload);
      position += bytes.length;
    }
  } finally {
    closeSync(file);
  }
}

/** The batch at `position`, or why there is none. */
function readBatch(file: number, position: number, fileBytes: number): Buffer | string {
  const left = fileBytes - position;
  if (left < batchPrefix.sizeBytes) return `${left} bytes, too few for a batch`;
  const prefix = Buffer.alloc(batchPrefix.sizeBytes);
  readSync(file, prefix, 0, prefix.length, position);
  const { length, magic } = batchPrefix.read(prefix);
  const sizeBytes = length + batch.LOG_OVERHEAD_BYTES;
  if (magic < 0 || magic > batch.MAGIC_V2) return `magic ${magic}`;
  const least = magic === batch.MAGIC_V2 ? batchHeader.sizeBytes : batchPrefix.sizeBytes;
  if (sizeBytes < least) return `a batch of ${sizeBytes} bytes`;
  if (sizeBytes > left) return `a batch of ${sizeBytes} bytes, of which ${left} are there`;
  const bytes = Buffer.alloc(sizeBytes);
  readSync(file, bytes, 0, sizeBytes, position);
  return bytes;
}

function* batchLines(bytes: Buffer, position: number, readPayload: PayloadReader | null): Generator<JsonObject> {
  const { offset, magic } = batchPrefix.read(bytes);
  if (magic < batch.MAGIC_V2) {
    yield { position, offset, sizeBytes: bytes.length, magic };
    if (readPayload !== null) yield* recordLines(() => readLegacyRecords(bytes), readPayload);
    return;
  }
  const header = batchHeader.read(bytes);
  const isValid = crc32c(bytes.subarray(CRC_COVERS_FROM)) === header.crc;
  const line = { ...describe(header, position), isValid };
  yield isValid ? line : { ...line, error: 'the CRC is wrong' };
  if (readPayload === null || !isValid) return;
  const isControl = (header.attributes & batch.CONTROL_BIT) !== 0;
  yield* recordLines(() => readRecords(bytes), isControl ? readControl : readPayload);
}

function describe(header: BatchHeader, position: number): JsonObject {
  const { attributes } = header;
  const has = (bit: number) => (attributes & bit) !== 0;
  return {
    position,
    baseOffset: header.baseOffset,
    lastOffset: header.baseOffset + BigInt(header.lastOffsetDelta),
    records: header.recordCount,
    sizeBytes: header.batchLength + batch.LOG_OVERHEAD_BYTES,
    leaderEpoch: header.partitionLeaderEpoch,
    magic: header.magic,
    compression: CODECS[attributes & batch.COMPRESSION_MASK] ?? `unknown ${attributes & batch.COMPRESSION_MASK}`,
    timestampType: has(batch.TIMESTAMP_TYPE_BIT) ? 'LogAppendTime' : 'CreateTime',
    // where a compaction has set it, the base timestamp is the time from which on tombstones may go (KIP-534)
    [has(batch.DELETE_HORIZON_BIT) ? 'deleteHorizonMs' : 'baseTimestamp']: header.baseTimestamp,
    maxTimestamp: header.maxTimestamp,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: has(batch.TRANSACTIONAL_BIT),
    isControl: has(batch.CONTROL_BIT),
    crc: header.crc,
  };
}

const readControl: PayloadReader = (record) => {
  const { type, value } = readControlRecord(record);
  return { type, value: value as JsonObject | number };
};

/** A record that cannot be read is a line with an "error"; the others are told nevertheless. */
function* recordLines(read: () => readonly KafkaRecord[], readPayload: PayloadReader): Generator<JsonObject> {
  let records: readonly KafkaRecord[];
  try {
    records = read();
  } catch (error) {
    yield { error: reasonOf(error) };
    return;
  }
  for (const record of records) yield recordLine(record, readPayload);
}

function recordLine(record: KafkaRecord, readPayload: PayloadReader): JsonObject {
  const { offset, timestamp, headers } = record;
  const line: JsonObject = { offset, timestamp };
  if (headers.length > 0) line.headers = headers.map(({ key, value }) => ({ key, value: plain(value) }));
  try {
    return { ...line, ...readPayload(record) };
  } catch (error) {
    return { ...line, error: reasonOf(error), key: plain(record.key), value: plain(record.value) };
  }
}

function reasonOf(error: unknown): string {
  // a key or a value with fewer than the two bytes of its version
  if (error instanceof MalformedError || error instanceof RangeError) return error.message;
  throw error;
}
