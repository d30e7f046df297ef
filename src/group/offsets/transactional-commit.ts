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
import type { ClassicGroup } from '../classic/classic-group.ts';
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
  within: InTransaction,
  nowMs: number,
): Outcome<GroupRecord, TransactionalCommitResponse> {
  const { groupId } = request;
  const group = shard.groups.get(groupId);
  if (group !== undefined) requireCommitter(group, request);
  else if (request.generationId >= 0) throw new KafkaError('ILLEGAL_GENERATION');
  const maxMetadata = shard.config.get('offset.metadata.max.bytes');
  const records: GroupRecord[] = [];
  const topics = request.topics.map(({ name, partitions }): TopicResponse => {
    const responses = partitions.map((partition) => {
      const { partitionIndex } = partition;
      if ((partition.committedMetadata ?? '').length > maxMetadata) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE };
      }
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
    leaderEpoch: p.committedLeaderEpoch < 0 ? -1 : p.committedLeaderEpoch,
    metadata: p.committedMetadata ?? '',
    commitTimestampMs: nowMs,
    expireTimestampMs: -1,
    // the request names topics only, and Kafka leaves it at that
    topicId: ZERO_UUID,
  };
}

/** Clients before KIP-447 do not say who they are: then the transaction alone fences. A rebalance in progress does not matter. */
function requireCommitter(group: ClassicGroup, request: TransactionalCommit): void {
  const { memberId, groupInstanceId, generationId } = request;
  if (generationId < 0 && (group.state === 'Empty' || (memberId === '' && groupInstanceId === null))) return;
  group.requireMember(memberId, groupInstanceId);
  if (generationId !== group.generationId) throw new KafkaError('ILLEGAL_GENERATION');
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
