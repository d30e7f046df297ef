/** The configuration of a streams group: its own (streams.*), or the broker's (group.streams.*). */
import { type GroupConfig, groupConfig } from '../../config/group-config.ts';
import type { GroupShard } from '../group-shard.ts';
import { type AssignmentConfigs, NUM_STANDBY_REPLICAS } from './target-assignment.ts';

export const streamsConfig = (shard: GroupShard, groupId: string): GroupConfig =>
  groupConfig(shard.env.image(), shard.config, groupId);

/** What assignors are told; a change of it is a new epoch. */
export function assignmentConfigs(shard: GroupShard, groupId: string): AssignmentConfigs {
  const numStandbyReplicas = streamsConfig(shard, groupId).get('streams.num.standby.replicas');
  return new Map([[NUM_STANDBY_REPLICAS, String(numStandbyReplicas)]]);
}

export function sameConfigs(a: AssignmentConfigs, b: AssignmentConfigs): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
