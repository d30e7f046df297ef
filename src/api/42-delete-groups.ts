import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts';
import { all, andThen } from '../coordinator/eventually.ts';
import { handler } from './handler.ts';

/** DeleteGroups: groups without members, with their committed offsets. */
export const deleteGroups = handler({
  request: DeleteGroupsRequest,
  response: DeleteGroupsResponse,
  versions: [0, 2],

  handle(context, request) {
    const groupIds = [...new Set(request.groupsNames)];
    return andThen(all(groupIds.map((groupId) => context.broker.groups.deleteGroup(groupId))), (errorCodes) => ({
      results: groupIds.map((groupId, i) => ({ groupId, errorCode: errorCodes[i] })),
    }));
  },

  failed: (request, errorCode) => ({ results: request.groupsNames.map((groupId) => ({ groupId, errorCode })) }),
});
