/**
 * The settings of one log, under Kafka's names with the unit at the end (`segment.ms` is `segmentMs`). -1 means unlimited where Kafka
 * says so. Who makes them from properties is src/config; storage only obeys.
 */

export type TimestampType = 'CreateTime' | 'LogAppendTime';

export interface LogConfig {
  segmentBytes: number;
  segmentMs: number;
  segmentJitterMs: number;
  /** segment.index.bytes: the size at which an index is full and the segment is rolled. */
  segmentIndexBytes: number;
  indexIntervalBytes: number;
  retentionMs: number;
  retentionBytes: number;
  fileDeleteDelayMs: number;
  /** flush.messages: records after which the log is flushed. */
  flushMessages: number;
  flushMs: number;
  messageTimestampType: TimestampType;
  messageTimestampBeforeMaxMs: number;
  messageTimestampAfterMaxMs: number;
  maxMessageBytes: number;
  cleanupPolicy: { delete: boolean; compact: boolean };
  /** min.cleanable.dirty.ratio: the part of a log that has to be dirty before it is worth a compaction, 0 to 1. */
  minCleanableDirtyRatio: number;
  minCompactionLagMs: number;
  maxCompactionLagMs: number;
  /** How long tombstones and transaction markers can be read before a compaction drops them. */
  deleteRetentionMs: number;
  compressionType: string;
  /** producer.id.expiration.ms: a broker setting; a producer idle for longer is forgotten. */
  producerIdExpirationMs: number;
}

/** Kafka's defaults (4.3). `flush.*` and `segment.jitter.ms` are off. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4096,
  retentionMs: 604_800_000,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  messageTimestampAfterMaxMs: 3_600_000,
  maxMessageBytes: 1_048_588,
  cleanupPolicy: { delete: true, compact: false },
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 86_400_000,
  compressionType: 'producer',
  producerIdExpirationMs: 86_400_000,
};
