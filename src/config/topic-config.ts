/** The configuration under which the log of one topic runs: its own overrides over the broker's settings. */

import type { ConfigValue } from './definition.ts';
import { type TopicConfigName, type TopicConfigValue, topicDefinitions } from './tables/index.ts';
import { InvalidConfigError, readValue } from './value.ts';

type CompressionType = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
type MessageTimestampType = 'CreateTime' | 'LogAppendTime';

/** Names are Kafka's topic configurations in camel case; -1 in a retention means without limit. */
export interface TopicConfig {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly segmentJitterMs: number;
  readonly segmentIndexBytes: number;
  readonly flushMessages: number;
  readonly flushMs: number;
  readonly retentionBytes: number;
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
  readonly indexIntervalBytes: number;
  readonly deleteRetentionMs: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
  readonly fileDeleteDelayMs: number;
  readonly minCleanableDirtyRatio: number;
  readonly cleanupPolicy: { readonly delete: boolean; readonly compact: boolean };
  readonly uncleanLeaderElectionEnable: boolean;
  readonly minInsyncReplicas: number;
  readonly compressionType: CompressionType;
  readonly compressionGzipLevel: number;
  readonly compressionLz4Level: number;
  readonly compressionZstdLevel: number;
  readonly preallocate: boolean;
  readonly messageTimestampType: MessageTimestampType;
  readonly messageTimestampBeforeMaxMs: number;
  readonly messageTimestampAfterMaxMs: number;
  readonly leaderReplicationThrottledReplicas: readonly string[];
  readonly followerReplicationThrottledReplicas: readonly string[];
}

/** What a topic (or group, or client-metrics subscription) overrides: names to values as they were written. */
export type Overrides = ReadonlyMap<string, string>;

/** Every topic configuration parsed: the overrides over `defaults`; throws InvalidConfigError. */
export function topicValues(
  defaults: ReadonlyMap<string, ConfigValue>,
  overrides: Overrides,
): ReadonlyMap<string, ConfigValue> {
  const values = new Map(defaults);
  for (const [name, raw] of overrides) {
    const definition = topicDefinitions.get(name);
    if (definition === undefined) throw new InvalidConfigError(`Unknown topic config name: ${name}`);
    values.set(name, readValue(definition, raw));
  }
  return values;
}

type Read = <N extends TopicConfigName>(name: N) => TopicConfigValue<N>;

function reader(values: ReadonlyMap<string, ConfigValue>): Read {
  return (name) => {
    const value = values.get(name);
    return (typeof value === 'bigint' ? Number(value) : value) as TopicConfigValue<typeof name>;
  };
}

export function topicConfigOf(values: ReadonlyMap<string, ConfigValue>): TopicConfig {
  const get = reader(values);
  const policies = get('cleanup.policy');
  return {
    segmentBytes: get('internal.segment.bytes') ?? get('segment.bytes'),
    segmentMs: get('segment.ms'),
    segmentJitterMs: get('segment.jitter.ms'),
    segmentIndexBytes: get('segment.index.bytes'),
    flushMessages: get('flush.messages'),
    flushMs: get('flush.ms'),
    retentionBytes: get('retention.bytes'),
    retentionMs: get('retention.ms'),
    maxMessageBytes: get('max.message.bytes'),
    indexIntervalBytes: get('index.interval.bytes'),
    deleteRetentionMs: get('delete.retention.ms'),
    minCompactionLagMs: get('min.compaction.lag.ms'),
    maxCompactionLagMs: get('max.compaction.lag.ms'),
    fileDeleteDelayMs: get('file.delete.delay.ms'),
    minCleanableDirtyRatio: get('min.cleanable.dirty.ratio'),
    cleanupPolicy: { delete: policies.includes('delete'), compact: policies.includes('compact') },
    uncleanLeaderElectionEnable: get('unclean.leader.election.enable'),
    minInsyncReplicas: get('min.insync.replicas'),
    compressionType: get('compression.type') as CompressionType,
    compressionGzipLevel: get('compression.gzip.level'),
    compressionLz4Level: get('compression.lz4.level'),
    compressionZstdLevel: get('compression.zstd.level'),
    preallocate: get('preallocate'),
    messageTimestampType: get('message.timestamp.type') as MessageTimestampType,
    messageTimestampBeforeMaxMs: get('message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: get('message.timestamp.after.max.ms'),
    leaderReplicationThrottledReplicas: get('leader.replication.throttled.replicas'),
    followerReplicationThrottledReplicas: get('follower.replication.throttled.replicas'),
  };
}
