import type { LogConfig } from '../../storage/index.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { TopicConfig } from '../config/topic-config.ts';

/** What a log runs under: its topic's configuration and the broker-wide rest. */
export function logConfigOf(topic: TopicConfig, broker: BrokerConfig): LogConfig {
  return { ...topic, producerIdExpirationMs: broker.get('producer.id.expiration.ms') };
}
