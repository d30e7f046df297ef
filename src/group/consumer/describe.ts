import { ErrorCode } from '../../../protocol/errors.ts';
import type { ConsumerGroupDescribeResponse } from '../../../protocol/messages/69-consumer-group-describe.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { GroupShard } from '../group-shard.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { listedByName, union } from './partitions.ts';
import { configuredAssignors } from './target-assignment.ts';

export type DescribedGroup = NonNullable<InputOf<typeof ConsumerGroupDescribeResponse>['groups']>[number];
type DescribedMember = NonNullable<DescribedGroup['members']>[number];

/** Which protocol a member speaks (MemberType). */
const MemberType = { CLASSIC: 0, CONSUMER: 1 } as const;

export function describeConsumerGroup(shard: GroupShard, groupId: string): DescribedGroup {
  const group = shard.groups.get(groupId);
  if (group?.type !== 'consumer') {
    const errorMessage =
      group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`;
    return { groupId, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage };
  }
  const [defaultAssignor] = configuredAssignors(shard.config.get('group.consumer.assignors'));
  return {
    groupId,
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.preferredAssignor() ?? defaultAssignor.name,
    members: [...group.members.values()].map((member) => describeMember(shard, group, member)),
  };
}

/** What a member has yet to give up counts as assigned to it. */
function describeMember(shard: GroupShard, group: ConsumerGroup, member: ConsumerMember): DescribedMember {
  const image = shard.env.image();
  const owned = union(member.assignedPartitions, member.partitionsPendingRevocation);
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.subscribedTopicNames],
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: { topicPartitions: listedByName(image, owned) },
    targetAssignment: { topicPartitions: listedByName(image, group.targetOf(member.memberId)) },
    memberType: member.classic === null ? MemberType.CONSUMER : MemberType.CLASSIC,
  };
}
