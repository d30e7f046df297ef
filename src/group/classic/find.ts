import type { GroupShard } from '../group-shard.ts';
import type { ClassicGroup } from './classic-group.ts';

/** The classic group of this id; undefined also where there is a group of another kind. */
export function classicGroup(shard: GroupShard, groupId: string): ClassicGroup | undefined {
  const group = shard.groups.get(groupId);
  return group?.type === 'classic' ? group : undefined;
}
