import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import { handler } from './handler.ts';

/** ListGroups: the groups that this broker coordinates, by state and type if the client says so. */
export const listGroups = handler({
  request: ListGroupsRequest,
  response: ListGroupsResponse,
  versions: [0, 5],
  handle: (context, request) => context.broker.groups.listGroups(request),
  failed: (_request, errorCode) => ({ errorCode }),
});
