import * as batch from '../../protocol/records/batch.ts';
import type { TopicConfig } from '../config/topic-config.ts';
import { AppendError, type RecordError } from './append-result.ts';
import { recompress, timestampsAndKeys } from './records-of.ts';

/**
 * What the topic's configuration asks of a client's batch (LogValidator): timestamps in range, keys where the topic is
 * compacted, the topic's own compression. Most batches pass on their header alone, without being decoded.
 */
export function prepareForTopic(buf: Buffer, config: TopicConfig, nowMs: number): Buffer {
  if (config.messageTimestampType === 'CreateTime') checkTimestamps(buf, config, nowMs);
  if (config.cleanupPolicy.compact) checkKeys(buf);
  return recompress(buf, config);
}

function checkTimestamps(buf: Buffer, config: TopicConfig, nowMs: number): void {
  const latest = nowMs + config.messageTimestampAfterMaxMs;
  const earliest = nowMs - config.messageTimestampBeforeMaxMs;
  // the header bounds the newest timestamp but not the oldest: for that the records have to be read
  if (batch.maxTimestamp(buf, 0) <= latest && config.messageTimestampBeforeMaxMs >= nowMs) return;
  const errors: RecordError[] = [];
  for (const { index, timestampMs } of timestampsAndKeys(buf)) {
    if (timestampMs === batch.NO_TIMESTAMP || (timestampMs <= latest && timestampMs >= earliest)) continue;
    const batchIndexErrorMessage = `Timestamp ${timestampMs} of message with offset ${index} is out of range. The timestamp should be within [${earliest}, ${latest}]`;
    errors.push({ batchIndex: index, batchIndexErrorMessage });
  }
  if (errors.length > 0) refuse('INVALID_TIMESTAMP', errors);
}

function checkKeys(buf: Buffer): void {
  const errors: RecordError[] = [];
  for (const { index, hasKey } of timestampsAndKeys(buf)) {
    if (hasKey) continue;
    const batchIndexErrorMessage = `Compacted topic cannot accept message without key in topic partition.`;
    errors.push({ batchIndex: index, batchIndexErrorMessage });
  }
  if (errors.length > 0) refuse('INVALID_RECORD', errors);
}

function refuse(errorName: 'INVALID_TIMESTAMP' | 'INVALID_RECORD', errors: RecordError[]): never {
  throw new AppendError(errorName, 'One or more records have been rejected', errors);
}
