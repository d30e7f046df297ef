import {
  ShareGroupDescribeRequest,
  ShareGroupDescribeResponse,
} from '../../protocol/messages/77-share-group-describe.ts';
import { GROUP_OPERATIONS, NOT_ASKED } from '../security/authorized-operations.ts';
import { handler } from './handler.ts';
import { hasShareGroups, SHARE_GROUPS_DISABLED } from './share-protocol.ts';

/** ShareGroupDescribe (KIP-932): state, epochs and members of share groups. */
export const shareGroupDescribe = handler({
  request: ShareGroupDescribeRequest,
  response: ShareGroupDescribeResponse,
  versions: [1, 1],

  handle({ broker }, { groupIds, includeAuthorizedOperations }) {
    if (!hasShareGroups(broker)) return { groups: groupIds.map((groupId) => ({ groupId, ...SHARE_GROUPS_DISABLED })) };
    return {
      groups: groupIds.map((groupId) => {
        const group = broker.groups.share.describeGroup(groupId);
        const isAsked = includeAuthorizedOperations && !group.errorCode;
        return { ...group, authorizedOperations: isAsked ? GROUP_OPERATIONS : NOT_ASKED };
      }),
    };
  },

  failed: ({ groupIds }, errorCode) => ({ groups: groupIds.map((groupId) => ({ groupId, errorCode })) }),
});
