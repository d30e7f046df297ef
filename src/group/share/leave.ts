import type {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../../protocol/messages/76-share-group-heartbeat.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import { metadataHash } from '../metadata-hash.ts';
import type { GroupRecord } from '../records.ts';
import { requireShareGroup } from './find.ts';
import { memberTombstones, type ShareRecord } from './records.ts';
import type { ShareGroup } from './share-group.ts';
import type { ShareMember } from './share-member.ts';
import { cancelSession } from './timers.ts';

type Response = InputOf<typeof ShareGroupHeartbeatResponse>;

/** A member says good-bye. Throws GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID. */
export function leave(
  shard: GroupShard,
  { groupId, memberId, memberEpoch }: MessageOf<typeof ShareGroupHeartbeatRequest>,
): Outcome<GroupRecord, Response> {
  const group = requireShareGroup(shard, groupId);
  const member = group.requireMember(memberId);
  shard.env.logger.info({ groupId, memberId }, 'member has left the share group');
  return { records: fence(shard, group, member), response: { memberId, memberEpoch } };
}

/** Takes the member out of the group; what it had is given to others in the next epoch. */
export function fence(shard: GroupShard, group: ShareGroup, member: ShareMember): ShareRecord[] {
  const { groupId } = group;
  cancelSession(shard, groupId, member.memberId);
  const subscriptions = group.subscriptionsWith(member, undefined);
  const value = { epoch: group.epoch + 1, metadataHash: metadataHash(shard.env.image(), subscriptions.keys()) };
  return [...memberTombstones(groupId, member.memberId), { type: 'share', what: 'group', groupId, value }];
}
