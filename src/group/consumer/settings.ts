import { groupConfig } from '../../config/group-config.ts';
import type { GroupShard } from '../group-shard.ts';

/** What is configured for one group: its own overrides over the broker's settings. */
export interface ConsumerSettings {
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** A target assignment stands at least so long. */
  readonly assignmentIntervalMs: number;
}

export function settingsOf(shard: GroupShard, groupId: string): ConsumerSettings {
  const config = groupConfig(shard.env.image(), shard.config, groupId);
  return {
    sessionTimeoutMs: config.get('consumer.session.timeout.ms'),
    heartbeatIntervalMs: config.get('consumer.heartbeat.interval.ms'),
    assignmentIntervalMs: config.get('consumer.assignment.interval.ms'),
  };
}
