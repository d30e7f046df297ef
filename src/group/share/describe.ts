import type { ShareGroupDescribeResponse } from '../../../protocol/messages/77-share-group-describe.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { MetadataImage } from '../../controller/image.ts';
import type { GroupShard } from '../group-shard.ts';
import { SIMPLE_ASSIGNOR } from './assignor.ts';
import { requireShareGroup } from './find.ts';
import type { ShareMember } from './share-member.ts';
import { listed } from './topic-partitions.ts';

export type DescribedShareGroup = NonNullable<InputOf<typeof ShareGroupDescribeResponse>['groups']>[number];

/** Throws GROUP_ID_NOT_FOUND. */
export function describeShareGroup(shard: GroupShard, groupId: string): DescribedShareGroup {
  const group = requireShareGroup(shard, groupId);
  const image = shard.env.image();
  return {
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: SIMPLE_ASSIGNOR,
    members: [...group.members.values()].map((member) => described(member, image)),
  };
}

/** Topics that are gone are left out. */
function described(member: ShareMember, image: MetadataImage): NonNullable<DescribedShareGroup['members']>[number] {
  const { memberId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames, assigned } = member;
  const topicPartitions = listed(assigned).flatMap(({ topicId, partitions }) => {
    const topicName = image.topicById(topicId)?.name;
    return topicName === undefined ? [] : [{ topicId, topicName, partitions }];
  });
  const assignment = { topicPartitions };
  return {
    memberId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames: [...subscribedTopicNames],
    assignment,
  };
}
