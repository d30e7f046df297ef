/** Members that go: on their own account, or because nothing was heard of them in time. */
import { KafkaError } from '../../../protocol/errors.ts';
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { HeartbeatResult } from './heartbeat.ts';
import { memberTombstones } from './records.ts';
import type { HeartbeatRequest } from './request-checks.ts';
import { requestShutdown } from './shutdown.ts';
import { StreamsGroup } from './streams-group.ts';
import { cancelMemberTimers } from './timers.ts';

/** The group, which must be there and of this kind. Throws GROUP_ID_NOT_FOUND. */
export function requireStreamsGroup(shard: GroupShard, groupId: string): StreamsGroup {
  const group = shard.groups.get(groupId);
  if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`);
  if (group instanceof StreamsGroup) return group;
  throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a streams group.`);
}

/** Throws GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID. */
export function leave(shard: GroupShard, request: HeartbeatRequest): Outcome<GroupRecord, HeartbeatResult> {
  const { groupId, memberId, memberEpoch } = request;
  const group = requireStreamsGroup(shard, groupId);
  if (request.shutdownApplication) requestShutdown(shard, group, memberId);
  group.requireMember(memberId);
  shard.env.logger.info({ groupId, memberId }, 'member left the streams group');
  const response = { response: { memberId, memberEpoch, status: [] }, missing: [], heartbeatIntervalMs: 0 };
  return { records: withoutMember(shard, group, memberId), response };
}

/** The member is out. */
export function fence(
  shard: GroupShard,
  group: StreamsGroup,
  memberId: string,
  reason: string,
): Outcome<GroupRecord, void> {
  if (!group.members.has(memberId)) return DONE;
  const { groupId } = group;
  shard.env.logger.info({ groupId, memberId, reason }, 'member was fenced from the streams group');
  return { records: withoutMember(shard, group, memberId), response: undefined };
}

/** Its tasks are assigned anew in the next epoch, with the next heartbeat of whoever is left. */
function withoutMember(shard: GroupShard, group: StreamsGroup, memberId: string): GroupRecord[] {
  cancelMemberTimers(shard, group.groupId, memberId);
  return [...memberTombstones(group.groupId, memberId), group.epochRecord({ epoch: group.groupEpoch + 1 })];
}
