import { usableBrokers } from './placement.ts';
import type { PlanContext } from './plan.ts';
import type { CreatableTopic } from './topic-control.ts';

/** How the broker's own topics are made (DefaultAutoTopicCreationManager); null for any other topic. */
export function internalTopic(name: string, context: PlanContext): CreatableTopic | null {
  const { config } = context;
  switch (name) {
    case '__consumer_offsets':
      return creatable(context, name, {
        partitions: config.get('offsets.topic.num.partitions'),
        replicationFactor: config.get('offsets.topic.replication.factor'),
        configs: {
          'compression.type': compressionName(config.get('offsets.topic.compression.codec')),
          'cleanup.policy': 'compact',
          'segment.bytes': String(config.get('offsets.topic.segment.bytes')),
        },
      });
    case '__share_group_state':
      return creatable(context, name, {
        partitions: config.get('share.coordinator.state.topic.num.partitions'),
        replicationFactor: config.get('share.coordinator.state.topic.replication.factor'),
        // the coordinator itself deletes what nobody needs any more
        configs: {
          'cleanup.policy': 'delete',
          'compression.type': 'producer',
          'segment.bytes': String(config.get('share.coordinator.state.topic.segment.bytes')),
          'min.insync.replicas': String(config.get('share.coordinator.state.topic.min.isr')),
          'retention.ms': '-1',
        },
      });
    default:
      return null;
  }
}

interface InternalTopic {
  partitions: number;
  replicationFactor: number;
  configs: Record<string, string>;
}

/** The replication factor is what the live brokers can satisfy: a first broker must be able to serve alone. */
function creatable(context: PlanContext, name: string, topic: InternalTopic): CreatableTopic {
  return {
    name,
    numPartitions: topic.partitions,
    replicationFactor: Math.max(1, Math.min(topic.replicationFactor, usableBrokers(context.image).length)),
    assignments: [],
    configs: Object.entries(topic.configs).map(([configName, value]) => ({ name: configName, value })),
  };
}

/** BrokerCompressionType by the codec's number in offsets.topic.compression.codec. */
function compressionName(codec: number): string {
  return ['producer', 'gzip', 'snappy', 'lz4', 'zstd'][codec] ?? 'producer';
}
