import * as batch from '../../protocol/records/batch.ts';
import { RecordChecker, setTimestamps } from '../../protocol/records/check-records.ts';
import { MAX_DECOMPRESSED_BYTES } from '../../protocol/records/compression.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { DecompressedTooLargeError } from '../../protocol/records/decompressed-too-large.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { KafkaRecord } from '../../protocol/records/record.ts';
import type { TopicConfig } from '../config/topic-config.ts';
import { AppendError } from './append-result.ts';

const CODEC_OF: Record<Exclude<TopicConfig['compressionType'], 'producer'>, batch.CompressionTypeId> = {
  uncompressed: batch.CompressionType.NONE,
  gzip: batch.CompressionType.GZIP,
  snappy: batch.CompressionType.SNAPPY,
  lz4: batch.CompressionType.LZ4,
  zstd: batch.CompressionType.ZSTD,
};

const checker = new RecordChecker();

/** The partition that a batch is to go into. */
type Target = { readonly topic: string; readonly index: number; readonly config: TopicConfig };

/**
 * What the topic's configuration asks of a client's batch (Kafka's LogValidator): timestamps in range, keys where the topic is
 * compacted, well-formed records, the topic's own compression, and with that no more than max.message.bytes. Records of a compressed
 * batch are looked at only where the answer is not in the header (docs/decisions/0002-compressed-batches.md).
 */
export function prepareForTopic(buf: Buffer, partition: Target, nowMs: number): Buffer {
  const { config } = partition;
  if (needsRecords(buf, config, nowMs)) {
    checkRecords(buf, partition, nowMs);
    // retention and the time index go by the header, whatever a client has put there; the append's own time is set at the append
    if (config.messageTimestampType !== 'LogAppendTime') setTimestamps(buf, 0, false, checker.maxTimestamp);
  }
  return recompressed(buf, config);
}

function needsRecords(buf: Buffer, config: TopicConfig, nowMs: number): boolean {
  if ((batch.attributes(buf, 0) & (batch.COMPRESSION_MASK | batch.TIMESTAMP_TYPE_BIT)) === 0) return true;
  if (config.cleanupPolicy.compact || (batch.attributes(buf, 0) & batch.TIMESTAMP_TYPE_BIT) !== 0) return true;
  if (config.messageTimestampType === 'LogAppendTime') return false;
  return (
    config.messageTimestampBeforeMaxMs < nowMs || batch.maxTimestamp(buf, 0) > nowMs + config.messageTimestampAfterMaxMs
  );
}

function checkRecords(buf: Buffer, { topic, index, config }: Target, nowMs: number): void {
  const rules = {
    topic,
    index,
    compacted: config.cleanupPolicy.compact,
    logAppendTime: config.messageTimestampType === 'LogAppendTime',
    timestampBeforeMaxMs: config.messageTimestampBeforeMaxMs,
    timestampAfterMaxMs: config.messageTimestampAfterMaxMs,
  };
  const problem = checker.check(buf, 0, rules, nowMs);
  if (problem === null) return;
  const recordErrors = problem.recordErrors.map(({ batchIndex, message }) => ({
    batchIndex,
    batchIndexErrorMessage: message,
  }));
  throw new AppendError(problem.error, problem.message, { recordErrors });
}

/** compression.type other than `producer`: the batch is written anew unless it has that codec already. */
function recompressed(buf: Buffer, config: TopicConfig): Buffer {
  if (config.compressionType === 'producer') return buf;
  const compression = CODEC_OF[config.compressionType];
  if ((batch.attributes(buf, 0) & batch.COMPRESSION_MASK) === compression) return buf;
  const written = encodeBatch(recordsWithin(buf, contentLimit(compression, config), config), {
    compression,
    producerId: batch.producerId(buf, 0),
    producerEpoch: batch.producerEpoch(buf, 0),
    baseSequence: batch.baseSequence(buf, 0),
    transactional: (batch.attributes(buf, 0) & batch.TRANSACTIONAL_BIT) !== 0,
  });
  // Kafka looks at the size a second time where it may have changed (UnifiedLog.append)
  if (written.length > config.maxMessageBytes) throw tooLarge(`a batch of ${written.length} bytes`, config);
  return written;
}

/** A record takes at most 36 bytes beside its key, value and headers, and when it is written anew at least 7; a header 10 and 2. */
const MAX_SHRINKAGE = 6;

/** Decompressed bytes from which no batch of an allowed size can come; what is compressed again may become as small as you like. */
function contentLimit(compression: batch.CompressionTypeId, { maxMessageBytes }: TopicConfig): number {
  if (compression !== batch.CompressionType.NONE) return MAX_DECOMPRESSED_BYTES;
  return Math.min(MAX_DECOMPRESSED_BYTES, MAX_SHRINKAGE * Math.max(1, maxMessageBytes));
}

/** The batch's records, decompressed no further than `limitBytes`. Throws MalformedError, or AppendError where there is more. */
function recordsWithin(buf: Buffer, limitBytes: number, config: TopicConfig): KafkaRecord[] {
  try {
    return readRecords(buf, 0, limitBytes);
  } catch (error) {
    if (!(error instanceof DecompressedTooLargeError) || limitBytes === MAX_DECOMPRESSED_BYTES) throw error;
    throw tooLarge(`more than ${limitBytes} bytes of records`, config);
  }
}

const tooLarge = (what: string, { maxMessageBytes }: TopicConfig): AppendError =>
  new AppendError('MESSAGE_TOO_LARGE', `${what} with the topic's compression.type, at most ${maxMessageBytes}`);
