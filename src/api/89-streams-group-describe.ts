import {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from '../../protocol/messages/89-streams-group-describe.ts';
import { GROUP_OPERATIONS, NOT_ASKED } from '../security/authorized-operations.ts';
import { handler } from './handler.ts';
import { requireStreamsGroups } from './streams-groups.ts';

/** StreamsGroupDescribe: topology, members and tasks of streams groups (KIP-1071). */
export const streamsGroupDescribe = handler({
  request: StreamsGroupDescribeRequest,
  response: StreamsGroupDescribeResponse,
  versions: [0, 0],

  handle(context, request) {
    requireStreamsGroups(context);
    return {
      groups: request.groupIds.map((groupId) => {
        const group = context.broker.groups.streams.describeGroup(groupId);
        const asked = request.includeAuthorizedOperations && !group.errorCode;
        return { ...group, authorizedOperations: asked ? GROUP_OPERATIONS : NOT_ASKED };
      }),
    };
  },

  failed: (request, errorCode) => ({ groups: request.groupIds.map((groupId) => ({ groupId, errorCode })) }),
});
