import { ErrorCode } from '../../../protocol/errors.ts';
import type { DescribeGroupsResponse } from '../../../protocol/messages/15-describe-groups.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { GroupShard } from '../group-shard.ts';
import { classicGroup } from './find.ts';
import { NO_BYTES } from './member.ts';

export type DescribedGroup = NonNullable<InputOf<typeof DescribeGroupsResponse>['groups']>[number];

/** From then on an unknown group is an error; before, it is described as dead. */
const GROUP_ID_NOT_FOUND_VERSION = 6;

/** What members say of themselves and are assigned is shown only while the group is stable. */
export function describeGroup(shard: GroupShard, groupId: string, apiVersion: number): DescribedGroup {
  const group = classicGroup(shard, groupId);
  if (group === undefined) return unknownGroup(shard, groupId, apiVersion);
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

function unknownGroup(shard: GroupShard, groupId: string, apiVersion: number): DescribedGroup {
  if (apiVersion < GROUP_ID_NOT_FOUND_VERSION) return { groupId, groupState: 'Dead' };
  const errorMessage = `Group ${groupId} ${shard.groups.has(groupId) ? 'is not a classic group' : 'not found'}.`;
  return { groupId, groupState: 'Dead', errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage };
}
