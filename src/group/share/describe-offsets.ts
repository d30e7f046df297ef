import { ErrorCode } from '../../../protocol/errors.ts';
import type {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from '../../../protocol/messages/90-describe-share-group-offsets.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { ZERO_UUID } from '../../../protocol/uuid.ts';
import type { MetadataImage } from '../../controller/image.ts';
import type { SummaryResult, TopicPartitionId } from '../../share/persister.ts';
import type { GroupShard } from '../group-shard.ts';
import { messageOfCode } from './messages.ts';
import { ShareGroup } from './share-group.ts';
import type { EndOffset } from './share-ports.ts';

export type DescribeOffsetsGroup = MessageOf<typeof DescribeShareGroupOffsetsRequest>['groups'][number];
export type DescribedOffsets = NonNullable<InputOf<typeof DescribeShareGroupOffsetsResponse>['groups']>[number];
type TopicResponse = NonNullable<DescribedOffsets['topics']>[number];
type PartitionResponse = NonNullable<TopicResponse['partitions']>[number];

/** What is asked of the persister, and what is answered without. */
export interface WantedOffsets {
  readonly partitions: readonly TopicPartitionId[];
  readonly unknown: readonly TopicResponse[];
}

/** The partitions that a request names; those of unknown topics have no offset, and no error either. */
export function wantedOffsets(
  image: MetadataImage,
  topics: NonNullable<DescribeOffsetsGroup['topics']>,
): WantedOffsets {
  const partitions: TopicPartitionId[] = [];
  const unknown: TopicResponse[] = [];
  for (const { topicName, partitions: indexes } of topics) {
    const topic = image.topic(topicName);
    if (topic !== undefined) partitions.push(...indexes.map((partition) => ({ topicId: topic.id, partition })));
    else {
      const none = indexes.map((partitionIndex) => ({ partitionIndex, startOffset: -1 }));
      unknown.push({ topicName, topicId: ZERO_UUID, partitions: none });
    }
  }
  return { partitions, unknown };
}

/** All partitions that the group has state for; none where it is no share group. */
export function initializedPartitions(shard: GroupShard, groupId: string): TopicPartitionId[] {
  const group = shard.groups.get(groupId);
  if (!(group instanceof ShareGroup) || group.statePartitions === null) return [];
  return [...group.statePartitions.initialized].flatMap(([topicId, { partitions }]) =>
    shard.env.image().topicById(topicId) === undefined
      ? []
      : [...partitions].map((partition) => ({ topicId, partition })),
  );
}

/** The response of a group; `ends` has the end of each partition whose lag is known to be computable, in their order. */
export function describedOffsets(
  image: MetadataImage,
  groupId: string,
  summaries: readonly SummaryResult[],
  ends: ReadonlyMap<SummaryResult, EndOffset>,
): DescribedOffsets {
  const topics = new Map<string, PartitionResponse[]>();
  for (const summary of summaries) {
    const partitions = topics.get(summary.topicId) ?? [];
    partitions.push(describedPartition(summary, ends.get(summary)));
    topics.set(summary.topicId, partitions);
  }
  return {
    groupId,
    topics: [...topics].map(([topicId, partitions]) => {
      const topicName = image.topicById(topicId)?.name ?? '';
      return { topicId, topicName, partitions };
    }),
  };
}

/** The lag can be told once it is decided where the group begins and known what it has done. */
export function hasLag({ errorCode, startOffset, deliveryCompleteCount }: SummaryResult): boolean {
  return errorCode === ErrorCode.NONE && startOffset !== -1 && deliveryCompleteCount !== -1;
}

/** A failure of the share coordinator shows as no offset. */
function describedPartition(summary: SummaryResult, end: EndOffset | undefined): PartitionResponse {
  const { partition: partitionIndex, errorCode, startOffset, leaderEpoch, deliveryCompleteCount } = summary;
  if (errorCode !== ErrorCode.NONE) return { partitionIndex, startOffset: -1 };
  if (end === undefined) return { partitionIndex, startOffset, leaderEpoch, lag: -1 };
  if (end.errorCode !== ErrorCode.NONE)
    return { partitionIndex, errorCode: end.errorCode, errorMessage: messageOfCode(end.errorCode) };
  return { partitionIndex, startOffset, leaderEpoch, lag: end.offset - startOffset - deliveryCompleteCount };
}
