import { ErrorCode, type ErrorCodeValue } from '../../../protocol/errors.ts';
import type { JoinGroupRequest } from '../../../protocol/messages/11-join-group.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../../../protocol/messages/12-heartbeat.ts';
import type { LeaveGroupResponse } from '../../../protocol/messages/13-leave-group.ts';
import type { SyncGroupRequest } from '../../../protocol/messages/14-sync-group.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { Answer } from '../../coordinator/answer.ts';
import type { Eventually } from '../../coordinator/eventually.ts';
import type { Caller } from '../caller.ts';
import type { GroupOperations } from '../operations.ts';
import { type DescribedGroup, describeGroup } from './describe.ts';
import { joining } from './join.ts';
import type { Leaving } from './leave.ts';
import type { JoinResponse, SyncResponse } from './member.ts';
import { heartbeatAny, joinAny, leaveAny, syncAny } from './router.ts';

/** The requests of the classic group protocol. */
export class ClassicGroups {
  private readonly operations: GroupOperations;

  constructor(operations: GroupOperations) {
    this.operations = operations;
  }

  joinGroup(caller: Caller, request: MessageOf<typeof JoinGroupRequest>): Eventually<JoinResponse> {
    const refused = (errorCode: ErrorCodeValue) => ({ memberId: request.memberId, errorCode });
    if (request.groupId === '') return refused(ErrorCode.INVALID_GROUP_ID);
    const config = this.operations.config();
    const isTooShort = request.sessionTimeoutMs < config.get('group.min.session.timeout.ms');
    const isTooLong = request.sessionTimeoutMs > config.get('group.max.session.timeout.ms');
    if (isTooShort || isTooLong) return refused(ErrorCode.INVALID_SESSION_TIMEOUT);
    const answer = new Answer<JoinResponse>();
    const by = joining(caller, request, answer.reply);
    const failed = (errorCode: ErrorCodeValue) => answer.reply({ errorCode });
    this.operations.write(request.groupId, (shard, nowMs) => joinAny(shard, by, nowMs), failed);
    return answer.take();
  }

  syncGroup(request: MessageOf<typeof SyncGroupRequest>): Eventually<SyncResponse> {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    const answer = new Answer<SyncResponse>();
    const failed = (errorCode: ErrorCodeValue) => answer.reply({ errorCode });
    this.operations.write(request.groupId, (shard) => syncAny(shard, request, answer.reply), failed);
    return answer.take();
  }

  heartbeat(request: MessageOf<typeof HeartbeatRequest>): Eventually<InputOf<typeof HeartbeatResponse>> {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    return this.operations.write(
      request.groupId,
      (shard) => heartbeatAny(shard, request),
      // a group that is being loaded is taken to be as its members know it
      (errorCode) => ({ errorCode: errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : errorCode }),
    );
  }

  leaveGroup(groupId: string, members: readonly Leaving[]): Eventually<InputOf<typeof LeaveGroupResponse>> {
    if (groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    return this.operations.write(
      groupId,
      (shard, nowMs) => leaveAny(shard, groupId, members, nowMs),
      (errorCode) => {
        if (errorCode !== ErrorCode.UNKNOWN_MEMBER_ID) return { errorCode };
        return { members: members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId, errorCode })) };
      },
    );
  }

  describeGroup(groupId: string, apiVersion: number): DescribedGroup {
    const failed = (errorCode: ErrorCodeValue): DescribedGroup => ({ groupId, errorCode });
    return this.operations.read(groupId, (shard) => describeGroup(shard, groupId, apiVersion), failed);
  }
}
