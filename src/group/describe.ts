import { ErrorCode } from '../../protocol/errors.ts';
import type { DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { GroupShard } from './group-shard.ts';
import { NO_BYTES } from './member.ts';

export type DescribedGroup = NonNullable<InputOf<typeof DescribeGroupsResponse>['groups']>[number];
export type ListedGroup = NonNullable<InputOf<typeof ListGroupsResponse>['groups']>[number];

/** From then on an unknown group is an error; before, it is described as dead. */
const GROUP_ID_NOT_FOUND_VERSION = 6;

/** What members say of themselves and are assigned is shown only while the group is stable. */
export function describeGroup(shard: GroupShard, groupId: string, apiVersion: number): DescribedGroup {
  const group = shard.groups.get(groupId);
  if (group === undefined) return unknownGroup(groupId, apiVersion);
  const { protocolName } = group;
  const strategy = group.state === 'Stable' ? protocolName : null;
  return {
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: strategy ?? '',
    members: [...group.members.values()].map((m) => ({
      memberId: m.memberId,
      groupInstanceId: m.groupInstanceId,
      clientId: m.clientId,
      clientHost: m.clientHost,
      memberMetadata: strategy === null ? NO_BYTES : m.metadata(strategy),
      memberAssignment: m.assignment,
    })),
  };
}

function unknownGroup(groupId: string, apiVersion: number): DescribedGroup {
  if (apiVersion < GROUP_ID_NOT_FOUND_VERSION) return { groupId, groupState: 'Dead' };
  const errorMessage = `Group ${groupId} not found.`;
  return { groupId, groupState: 'Dead', errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage };
}

/** The groups of the shard that the filters let through; an empty filter lets all through (KIP-518, KIP-848). */
export function listGroups(shard: GroupShard, request: MessageOf<typeof ListGroupsRequest>): ListedGroup[] {
  const states = new Set(request.statesFilter.map((s) => s.toLowerCase().trim()));
  const types = new Set(request.typesFilter.map((t) => t.toLowerCase().trim()));
  const listed: ListedGroup[] = [];
  for (const group of shard.groups.values()) {
    if (states.size > 0 && !states.has(group.state.toLowerCase())) continue;
    if (types.size > 0 && !types.has(group.type)) continue;
    const { groupId, protocolType, state } = group;
    listed.push({ groupId, protocolType: protocolType ?? '', groupState: state, groupType: group.type });
  }
  return listed;
}
