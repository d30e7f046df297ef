/** Offsets that are committed with a producer's transaction (KIP-98, KIP-447): TxnOffsetCommit, and the marker that decides on them. */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type {
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponse,
} from '../../../protocol/messages/28-txn-offset-commit.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { ZERO_UUID } from '../../../protocol/uuid.ts';
import type { EndMarker, InTransaction } from '../../coordinator/log.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { Group, OffsetCheck } from '../group.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { CommittedOffset } from './records.ts';

export type TransactionalCommit = MessageOf<typeof TxnOffsetCommitRequest>;
export type TransactionalCommitResponse = InputOf<typeof TxnOffsetCommitResponse>;
type TopicResponse = NonNullable<TransactionalCommitResponse['topics']>[number];
type PartitionRequest = TransactionalCommit['topics'][number]['partitions'][number];

/** Commits offsets with the producer's transaction: they are pending until its marker comes. Throws where all are refused. */
export function commitTransactionalOffsets(
  shard: GroupShard,
  request: TransactionalCommit,
  apiVersion: number,
  within: InTransaction,
  nowMs: number,
): Outcome<GroupRecord, TransactionalCommitResponse> {
  const { groupId } = request;
  const group = shard.groups.get(groupId);
  const check = group === undefined ? null : requireCommitter(group, request, apiVersion);
  if (group === undefined && request.generationId >= 0) throw new KafkaError('ILLEGAL_GENERATION');
  const maxMetadata = shard.config.get('offset.metadata.max.bytes');
  const records: GroupRecord[] = [];
  const topics = request.topics.map(({ name, partitions }): TopicResponse => {
    const topicId = shard.env.image().topic(name)?.id ?? ZERO_UUID;
    const responses = partitions.map((partition) => {
      const { partitionIndex } = partition;
      if ((partition.committedMetadata ?? '').length > maxMetadata) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE };
      }
      check?.(topicId, name, partitionIndex);
      const value = pendingOffset(partition, nowMs);
      records.push({ type: 'offset', groupId, topic: name, partition: partitionIndex, value });
      return { partitionIndex, errorCode: ErrorCode.NONE };
    });
    return { name, partitions: responses };
  });
  return { records, within, response: { topics } };
}

function pendingOffset(p: PartitionRequest, nowMs: number): CommittedOffset {
  return {
    offset: p.committedOffset,
    leaderEpoch: p.committedLeaderEpoch,
    metadata: p.committedMetadata ?? '',
    commitTimestampMs: nowMs,
    expireTimestampMs: -1,
    // the request names topics only, and Kafka leaves it at that
    topicId: ZERO_UUID,
  };
}

/** A member epoch that is over is told as a generation that is: producers know only these (KIP-848). */
function requireCommitter(group: Group, request: TransactionalCommit, apiVersion: number): OffsetCheck | null {
  const { memberId, groupInstanceId, generationId: generationIdOrMemberEpoch } = request;
  const by = { memberId, groupInstanceId, generationIdOrMemberEpoch, apiVersion, isTransactional: true };
  const check = staleAsIllegal(() => group.requireCommitter(by));
  return check && ((topicId, topic, partition) => staleAsIllegal(() => check(topicId, topic, partition)));
}

function staleAsIllegal<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    const isStale = error instanceof KafkaError && error.code === ErrorCode.STALE_MEMBER_EPOCH;
    throw isStale ? new KafkaError('ILLEGAL_GENERATION') : error;
  }
}

/** The producer's transaction ends in this partition of `__consumer_offsets`: its pending offsets become committed, or vanish. */
export function endTransaction(marker: EndMarker): Outcome<GroupRecord, number> {
  return { records: [], marker, response: ErrorCode.NONE };
}

/** Every partition of the request with this error code. */
export function refusedTransactionalCommit(
  { topics }: TransactionalCommit,
  errorCode: number,
): TransactionalCommitResponse {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}
