import * as batch from '../../protocol/records/batch.ts';
import { RecordChecker } from '../../protocol/records/check-records.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
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

/**
 * What the topic's configuration asks of a client's batch (Kafka's LogValidator): timestamps in range, keys where the topic is
 * compacted, well-formed records, the topic's own compression. Records of a compressed batch are looked at only where the answer
 * is not in the header (docs/decisions/0002-compressed-batches.md).
 */
export function prepareForTopic(buf: Buffer, config: TopicConfig, nowMs: number): Buffer {
  if (needsRecords(buf, config, nowMs)) checkRecords(buf, config, nowMs);
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

function checkRecords(buf: Buffer, config: TopicConfig, nowMs: number): void {
  const rules = {
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
  return encodeBatch(readRecords(buf), {
    compression,
    producerId: batch.producerId(buf, 0),
    producerEpoch: batch.producerEpoch(buf, 0),
    baseSequence: batch.baseSequence(buf, 0),
    transactional: (batch.attributes(buf, 0) & batch.TRANSACTIONAL_BIT) !== 0,
  });
}
