import { ErrorCode } from '../../../protocol/errors.ts';
import type { DescribeGroupsResponse } from '../../../protocol/messages/15-describe-groups.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { GroupShard } from '../group-shard.ts';
import { NO_BYTES } from './member.ts';

export type DescribedGroup = NonNullable<InputOf<typeof DescribeGroupsResponse>['groups']>[number];

/** From then on an unknown group is an error; before, it is described as dead. */
const GROUP_ID_NOT_FOUND_VERSION = 6;

/** What members say of themselves and are assigned is shown only while the group is stable. */
export function describeGroup(shard: GroupShard, groupId: string, apiVersion: number): DescribedGroup {
  const group = shard.groups.get(groupId);
  if (group === undefined) return unknownGroup(groupId, apiVersion, `Group ${groupId} not found.`);
  if (group.type !== 'classic') return unknownGroup(groupId, apiVersion, `Group ${groupId} is not a classic group.`);
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

function unknownGroup(groupId: string, apiVersion: number, errorMessage: string): DescribedGroup {
  if (apiVersion < GROUP_ID_NOT_FOUND_VERSION) return { groupId, groupState: 'Dead' };
  return { groupId, groupState: 'Dead', errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage };
}
