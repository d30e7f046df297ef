/** Requests of the classic protocol go to the kind of group that there is: consumer groups have members who speak it, too. */
import type { HeartbeatRequest, HeartbeatResponse } from '../../../protocol/messages/12-heartbeat.ts';
import type { LeaveGroupResponse } from '../../../protocol/messages/13-leave-group.ts';
import type { SyncGroupRequest } from '../../../protocol/messages/14-sync-group.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { Reply } from '../../coordinator/answer.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import {
  heartbeatConsumerGroup,
  joinConsumerGroup,
  leaveConsumerGroup,
  syncConsumerGroup,
} from '../consumer/classic-members.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import { heartbeat } from './heartbeat.ts';
import { type Joining, join } from './join.ts';
import { type Leaving, leave } from './leave.ts';
import type { SyncResponse } from './member.ts';
import type { Done } from './rebalance.ts';
import { sync } from './sync.ts';

/** An empty group of another kind gives way to a classic one, where it can. */
export function joinAny(shard: GroupShard, by: Joining, nowMs: number): Done {
  const group = shard.groups.get(by.request.groupId);
  if (group?.type === 'consumer' && !group.isEmpty()) return joinConsumerGroup(shard, group, by, nowMs);
  return join(shard, by, nowMs);
}

export function syncAny(
  shard: GroupShard,
  request: MessageOf<typeof SyncGroupRequest>,
  reply: Reply<SyncResponse>,
): Done {
  const group = shard.groups.get(request.groupId);
  if (group?.type === 'consumer' && !group.isEmpty()) return syncConsumerGroup(shard, group, request, reply);
  return sync(shard, request, reply);
}

export function heartbeatAny(
  shard: GroupShard,
  request: MessageOf<typeof HeartbeatRequest>,
): Outcome<never, InputOf<typeof HeartbeatResponse>> {
  const group = shard.groups.get(request.groupId);
  return group?.type === 'consumer' ? heartbeatConsumerGroup(shard, group, request) : heartbeat(shard, request);
}

export function leaveAny(
  shard: GroupShard,
  groupId: string,
  members: readonly Leaving[],
  nowMs: number,
): Outcome<GroupRecord, InputOf<typeof LeaveGroupResponse>> {
  const group = shard.groups.get(groupId);
  if (group?.type === 'consumer') return leaveConsumerGroup(shard, group, members, nowMs);
  return leave(shard, groupId, members, nowMs);
}
