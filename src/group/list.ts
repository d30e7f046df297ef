import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { GroupShard } from './group-shard.ts';

export type ListedGroup = NonNullable<InputOf<typeof ListGroupsResponse>['groups']>[number];

/** The groups of the shard that the filters let through; an empty filter lets all through (KIP-518, KIP-848). */
export function listGroups(shard: GroupShard, request: MessageOf<typeof ListGroupsRequest>): ListedGroup[] {
  const states = new Set(request.statesFilter.map((s) => s.toLowerCase().trim()));
  const types = new Set(request.typesFilter.map((t) => t.toLowerCase().trim()));
  const listed: ListedGroup[] = [];
  for (const group of shard.groups.values()) {
    if (states.size > 0 && !states.has(filterName(group.state))) continue;
    if (types.size > 0 && !types.has(group.type)) continue;
    const { groupId, protocolType, state } = group;
    listed.push({ groupId, protocolType: protocolType ?? '', groupState: state, groupType: group.type });
  }
  return listed;
}

/** A state as filters name it: Kafka spells this one in a way that its own tools never ask for. */
const filterName = (state: string): string => (state === 'NotReady' ? 'not_ready' : state.toLowerCase());
