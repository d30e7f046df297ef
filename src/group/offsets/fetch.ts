import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../../protocol/messages/09-offset-fetch.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { ZERO_UUID } from '../../../protocol/uuid.ts';
import type { GroupShard } from '../group-shard.ts';
import type { StoredOffset } from './offset-store.ts';

/** What is asked of one group; null topics ask for all it has. */
export type OffsetFetchGroup = MessageOf<typeof OffsetFetchRequest>['groups'][number];
export type OffsetFetchGroupResponse = NonNullable<InputOf<typeof OffsetFetchResponse>['groups']>[number];
type TopicResponse = NonNullable<OffsetFetchGroupResponse['topics']>[number];
type PartitionResponse = NonNullable<TopicResponse['partitions']>[number];

/**
 * Committed offsets of a group; -1 where there is none, also where there is no such group. `requireStable`: an offset
 * that an open transaction is about to replace is withheld (KIP-447). Throws KafkaError where the group refuses who asks.
 */
export function fetchOffsets(
  shard: GroupShard,
  request: OffsetFetchGroup,
  requireStable: boolean,
): OffsetFetchGroupResponse {
  const { groupId, memberId, memberEpoch } = request;
  shard.groups.get(groupId)?.requireFetcher(memberId, memberEpoch);
  const topics = request.topics === null ? all(shard, groupId, requireStable) : some(shard, request, requireStable);
  return { groupId, topics };
}

function some(shard: GroupShard, request: OffsetFetchGroup, requireStable: boolean): TopicResponse[] {
  const offsets = shard.offsets.committed.of(request.groupId);
  return (request.topics ?? []).map(({ name, topicId, partitionIndexes }) => {
    const ofTopic = offsets?.get(name);
    const partitions = partitionIndexes.map((partition): PartitionResponse => {
      if (requireStable && shard.offsets.hasPending(request.groupId, name, partition)) return unstable(partition);
      const stored = ofTopic?.get(partition);
      return stored === undefined || isOfAnother(topicId, stored) ? none(partition) : present(partition, stored);
    });
    return { name, topicId, partitions };
  });
}

function all(shard: GroupShard, groupId: string, requireStable: boolean): TopicResponse[] {
  const topics: TopicResponse[] = [];
  for (const [name, offsets] of shard.offsets.committed.of(groupId) ?? []) {
    const partitions = [...offsets].map(([partition, stored]) =>
      requireStable && shard.offsets.hasPending(groupId, name, partition)
        ? unstable(partition)
        : present(partition, stored),
    );
    topics.push({ name, partitions });
  }
  return topics;
}

/** Whether the offset was committed for a topic of the same name that has been deleted since. */
const isOfAnother = (topicId: string, stored: StoredOffset): boolean =>
  topicId !== ZERO_UUID && stored.topicId !== ZERO_UUID && stored.topicId !== topicId;

function present(partitionIndex: number, stored: StoredOffset): PartitionResponse {
  const { offset, leaderEpoch, metadata } = stored;
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata };
}

function none(partitionIndex: number): PartitionResponse {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '' };
}

function unstable(partitionIndex: number): PartitionResponse {
  return { ...none(partitionIndex), errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT };
}
