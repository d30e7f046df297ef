import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import { GROUP_OPERATIONS, NOT_ASKED } from '../security/authorized-operations.ts';
import { handler } from './handler.ts';

/** DescribeGroups: state, strategy and members of classic groups. */
export const describeGroups = handler({
  request: DescribeGroupsRequest,
  response: DescribeGroupsResponse,
  versions: [0, 6],

  handle(context, request) {
    return {
      groups: request.groups.map((groupId) => {
        const group = context.broker.groups.classic.describeGroup(groupId, context.apiVersion);
        const asked = request.includeAuthorizedOperations && !group.errorCode;
        return { ...group, authorizedOperations: asked ? GROUP_OPERATIONS : NOT_ASKED };
      }),
    };
  },

  failed: (request, errorCode) => ({ groups: request.groups.map((groupId) => ({ groupId, errorCode })) }),
});
