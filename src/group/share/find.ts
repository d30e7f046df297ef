import { KafkaError } from '../../../protocol/errors.ts';
import type { GroupShard } from '../group-shard.ts';
import { ShareGroup } from './share-group.ts';

/** Throws GROUP_ID_NOT_FOUND, also where the group is of another kind. `kind` names what is missing where nothing is there. */
export function requireShareGroup(
  shard: GroupShard,
  groupId: string,
  kind: 'Group' | 'Share group' = 'Group',
): ShareGroup {
  const group = shard.groups.get(groupId);
  if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `${kind} ${groupId} not found.`);
  if (group instanceof ShareGroup) return group;
  throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a share group.`);
}

/** The group, or one that is not there yet: the first record makes it. Throws GROUP_ID_NOT_FOUND where it is of another kind. */
export function findOrNewShareGroup(shard: GroupShard, groupId: string): ShareGroup {
  return shard.groups.has(groupId) ? requireShareGroup(shard, groupId) : new ShareGroup(groupId);
}
