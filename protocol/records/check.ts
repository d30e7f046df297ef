/**
 * Whether bytes that somebody sent are record batches that may be appended: framing, magic, CRC-32C and the header's
 * own arithmetic. What Apache Kafka 4.3.1 checks at the same places (ProduceRequest.validateRecords,
 * ByteBufferLogInputStream, UnifiedLog.analyzeAndValidateRecords, LogValidator.validateBatch), in the same order, with
 * the same error. Records inside a batch are checked by check-records.ts.
 *
 * Nothing is allocated for good input but the one view that the native CRC needs.
 */
import { crc32c } from '@node-rs/crc32';
import type { ErrorName } from '../errors.ts';
import * as batch from './batch.ts';
import { CompressionType } from './batch.ts';

/** Why batches are refused: Kafka's error for the partition, and a text for the log. */
export interface BatchProblem {
  readonly error: ErrorName;
  readonly message: string;
  /** Set where the request is at fault, before any log has looked at the batch. */
  readonly inRequest?: boolean;
  /** Set where Kafka tells the client the text. */
  readonly isTold?: boolean;
}

/** The smallest value of the length field that any format allows: a v0 message without key and value. */
const MIN_LENGTH_FIELD = 14;
/** The magic byte is at the same place in every format. */
const UP_TO_MAGIC_BYTES = 17;
const CRC_COVERS_FROM = 21;
const HIGHEST_COMPRESSION = CompressionType.ZSTD;
const ZSTD_SINCE_PRODUCE = 7;

const problem = (error: ErrorName, message: string): BatchProblem => ({ error, message });
const NO_RECORDS = problem('INVALID_RECORD', 'no records');

/**
 * The records of one partition in a Produce request of version 3 or later: exactly one v2 batch. Bytes after it that are
 * too few for a batch are tolerated, as in Kafka; the batch is the first `batch.sizeBytes(buf, 0)` bytes.
 */
export function checkProducedBatch(
  buf: Buffer | null,
  produceVersion: number,
  maxBatchBytes = Number.MAX_SAFE_INTEGER,
): BatchProblem | null {
  if (buf === null) return { ...NO_RECORDS, inRequest: true };
  const inRequest = checkOnlyBatch(buf, produceVersion);
  if (inRequest !== null) return { ...inRequest, inRequest: true };
  return checkBatch(buf, maxBatchBytes, true) ?? checkClientHeader(buf);
}

/** What Kafka finds out while it parses the request, before it asks for anything else: whether there is one v2 batch and no other. */
export function checkOnlyBatch(buf: Buffer | null, produceVersion: number): BatchProblem | null {
  if (buf === null) return NO_RECORDS;
  const framing = checkFraming(buf, 0);
  if (framing !== null) return { ...framing, isTold: true };
  if (!isWhole(buf, 0)) return problem('INVALID_RECORD', 'not one whole record batch');
  if (batch.magic(buf, 0) !== batch.MAGIC_V2) return problem('INVALID_RECORD', `magic ${batch.magic(buf, 0)}, not 2`);
  if (batch.sizeBytes(buf, 0) < batch.BATCH_HEADER_BYTES) return tooSmall(buf, 0);
  const compression = batch.attributes(buf, 0) & batch.COMPRESSION_MASK;
  if (compression === CompressionType.ZSTD && produceVersion < ZSTD_SINCE_PRODUCE) {
    return problem('UNSUPPORTED_COMPRESSION_TYPE', `zstd in Produce version ${produceVersion}`);
  }
  const next = batch.sizeBytes(buf, 0);
  if (next === buf.length) return null;
  const nextFraming = checkFraming(buf, next);
  if (nextFraming !== null) return nextFraming;
  return isWhole(buf, next) ? problem('INVALID_RECORD', 'more than one record batch') : null;
}

/**
 * Any number of whole v2 batches, as one node fetches them from another: framing and CRC only. Bytes of a batch cut off
 * at the end are ignored; `wholeBatchesBytes` says how many count.
 */
export function checkBatches(buf: Buffer, maxBatchBytes = Number.MAX_SAFE_INTEGER): BatchProblem | null {
  for (let at = 0; at < buf.length; at += batch.sizeBytes(buf, at)) {
    const framing = checkFraming(buf, at);
    if (framing !== null) return framing;
    if (!isWhole(buf, at)) return null;
    if (batch.magic(buf, at) !== batch.MAGIC_V2) {
      return problem('UNSUPPORTED_FOR_MESSAGE_FORMAT', `magic ${batch.magic(buf, at)} at ${at}`);
    }
    if (batch.sizeBytes(buf, at) < batch.BATCH_HEADER_BYTES) return tooSmall(buf, at);
    const found = checkBatch(buf, maxBatchBytes, false, at);
    if (found !== null) return found;
  }
  return null;
}

/** The bytes of the batches that are wholly in the buffer; to be asked after `checkBatches` found nothing. */
export function wholeBatchesBytes(buf: Buffer): number {
  let at = 0;
  while (buf.length - at >= UP_TO_MAGIC_BYTES && isWhole(buf, at)) at += batch.sizeBytes(buf, at);
  return at;
}

/** Too short to say, or a length and a magic that can be. */
function checkFraming(buf: Buffer, at: number): BatchProblem | null {
  const remaining = buf.length - at;
  if (remaining < batch.LOG_OVERHEAD_BYTES) return null;
  const length = buf.readInt32BE(at + 8);
  if (length < MIN_LENGTH_FIELD) {
    const least = `the minimum record overhead (${MIN_LENGTH_FIELD})`;
    return problem('CORRUPT_MESSAGE', `Record size ${length} is less than ${least}`);
  }
  if (remaining < UP_TO_MAGIC_BYTES) return null;
  const magic = batch.magic(buf, at);
  if (magic < 0 || magic > batch.MAGIC_V2) return problem('CORRUPT_MESSAGE', `Invalid magic found in record: ${magic}`);
  return null;
}

function isWhole(buf: Buffer, at: number): boolean {
  const remaining = buf.length - at;
  return remaining >= UP_TO_MAGIC_BYTES && batch.sizeBytes(buf, at) <= remaining;
}

const tooSmall = (buf: Buffer, at: number): BatchProblem =>
  problem('CORRUPT_MESSAGE', `a batch of ${batch.sizeBytes(buf, at)} bytes is smaller than its header`);

/** What Kafka's log checks of one whole batch. */
function checkBatch(buf: Buffer, maxBatchBytes: number, fromClient: boolean, at = 0): BatchProblem | null {
  if (fromClient && !batch.hasZeroBaseOffset(buf, at)) {
    return problem('INVALID_RECORD', `base offset ${batch.baseOffset(buf, at)}, not 0`);
  }
  const size = batch.sizeBytes(buf, at);
  if (size > maxBatchBytes) return problem('MESSAGE_TOO_LARGE', `a batch of ${size} bytes, at most ${maxBatchBytes}`);
  if (!hasValidCrc(buf, at)) return problem('CORRUPT_MESSAGE', `the CRC of the batch at ${at} does not match`);
  const compression = batch.attributes(buf, at) & batch.COMPRESSION_MASK;
  // Kafka fails here with an IllegalArgumentException, which clients see as this error
  if (compression > HIGHEST_COMPRESSION) return problem('UNKNOWN_SERVER_ERROR', `compression type ${compression}`);
  return null;
}

/** True where the stored CRC-32C is that of the bytes; the batch has to be whole. */
export function hasValidCrc(buf: Buffer, at: number): boolean {
  return crc32c(buf.subarray(at + CRC_COVERS_FROM, at + batch.sizeBytes(buf, at))) === batch.crc(buf, at);
}

/** Computes the CRC-32C of the whole batch and stores it. */
export function setCrc(buf: Buffer, at: number): void {
  const crc = crc32c(buf.subarray(at + CRC_COVERS_FROM, at + batch.sizeBytes(buf, at)));
  buf.writeUInt32BE(crc, at + CRC_COVERS_FROM - 4);
}

/** What only a client's batch has to fulfil. */
function checkClientHeader(buf: Buffer): BatchProblem | null {
  const count = batch.recordCount(buf, 0);
  const lastOffsetDelta = batch.lastOffsetDelta(buf, 0);
  if (lastOffsetDelta < 0) return problem('INVALID_RECORD', `last offset delta ${lastOffsetDelta}`);
  if (count <= 0) return problem('INVALID_RECORD', `${count} records`);
  if (lastOffsetDelta + 1 !== count) {
    return problem('INVALID_RECORD', `${count} records, but last offset delta ${lastOffsetDelta}`);
  }
  if ((batch.attributes(buf, 0) & batch.CONTROL_BIT) !== 0) return problem('INVALID_RECORD', 'a control batch');
  if (batch.hasProducerId(buf, 0) && batch.baseSequence(buf, 0) < 0) {
    return problem('INVALID_RECORD', `sequence ${batch.baseSequence(buf, 0)} with a producer id`);
  }
  return null;
}
