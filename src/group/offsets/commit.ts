import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { toNumber } from '../../../protocol/int64.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../../protocol/messages/08-offset-commit.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { Caller } from '../caller.ts';
import { scheduleSession } from '../classic/timers.ts';
import type { Group, OffsetCheck } from '../group.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { CommittedOffset } from './records.ts';

type Request = MessageOf<typeof OffsetCommitRequest>;
type Response = InputOf<typeof OffsetCommitResponse>;
type TopicResponse = NonNullable<Response['topics']>[number];
type PartitionRequest = Request['topics'][number]['partitions'][number];

/** From then on a client knows GROUP_ID_NOT_FOUND in answer to a commit (KIP-848). */
const GROUP_ID_NOT_FOUND_VERSION = 9;

/**
 * Commits offsets, of a member in its generation or of a consumer outside of any group. Topics must carry names and ids.
 * Throws where the whole request is refused.
 */
export function commitOffsets(
  shard: GroupShard,
  caller: Caller,
  request: Request,
  nowMs: number,
): Outcome<GroupRecord, Response> {
  const group = shard.groups.get(request.groupId);
  const check = group === undefined ? null : requireCommitter(shard, group, caller, request);
  if (group === undefined && request.generationIdOrMemberEpoch >= 0) throw noGroup(caller, request);
  const maxMetadata = shard.config.get('offset.metadata.max.bytes');
  const retentionMs = toNumber(request.retentionTimeMs);
  const expireTimestampMs = retentionMs === -1 ? -1 : nowMs + retentionMs;
  const records: GroupRecord[] = [];
  const topics: TopicResponse[] = request.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => {
      const { partitionIndex } = partition;
      if ((partition.committedMetadata ?? '').length > maxMetadata) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE };
      }
      check?.(topicId, name, partitionIndex);
      const value = committed(partition, topicId, nowMs, expireTimestampMs);
      records.push({ type: 'offset', groupId: request.groupId, topic: name, partition: partitionIndex, value });
      return { partitionIndex, errorCode: ErrorCode.NONE };
    }),
  }));
  return { records, response: { topics } };
}

function committed(p: PartitionRequest, topicId: string, nowMs: number, expireTimestampMs: number): CommittedOffset {
  return {
    offset: p.committedOffset,
    leaderEpoch: p.committedLeaderEpoch,
    metadata: p.committedMetadata ?? '',
    commitTimestampMs: nowMs,
    expireTimestampMs,
    topicId,
  };
}

function noGroup(caller: Caller, request: Request): KafkaError {
  if (caller.apiVersion < GROUP_ID_NOT_FOUND_VERSION) return new KafkaError('ILLEGAL_GENERATION');
  return new KafkaError('GROUP_ID_NOT_FOUND', `Group ${request.groupId} not found.`);
}

/** A commit of a classic group's member counts as a heartbeat. */
function requireCommitter(shard: GroupShard, group: Group, caller: Caller, request: Request): OffsetCheck | null {
  const check = group.requireCommitter({ ...request, apiVersion: caller.apiVersion, isTransactional: false });
  const member = group.type === 'classic' ? group.members.get(request.memberId) : undefined;
  if (group.type === 'classic' && member !== undefined) scheduleSession(shard, group, member);
  return check;
}
