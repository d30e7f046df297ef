import { KafkaError } from '../../protocol/errors.ts';
import { DeleteAclsRequest, DeleteAclsResponse } from '../../protocol/messages/31-delete-acls.ts';
import { NO_AUTHORIZER, refuseUnknown } from './acls.ts';
import { handler } from './handler.ts';

/** DeleteAcls (KIP-140, KIP-290): there is no authorizer. */
export const deleteAcls = handler({
  request: DeleteAclsRequest,
  response: DeleteAclsResponse,
  versions: [1, 3],

  handle(_context, request) {
    const codes = request.filters.flatMap((filter) => [
      filter.resourceTypeFilter,
      filter.patternTypeFilter,
      filter.operation,
      filter.permissionType,
    ]);
    refuseUnknown('DeleteAcls', codes);
    throw new KafkaError('SECURITY_DISABLED', NO_AUTHORIZER);
  },

  failed: (request, errorCode, errorMessage) => ({
    filterResults: request.filters.map(() => ({ errorCode, errorMessage, matchingAcls: [] })),
  }),
});
