import { KafkaError } from '../../protocol/errors.ts';
import { CreateAclsRequest, CreateAclsResponse } from '../../protocol/messages/30-create-acls.ts';
import { NO_AUTHORIZER, refuseUnknown } from './acls.ts';
import { handler } from './handler.ts';

/** CreateAcls (KIP-140, KIP-290): there is no authorizer. */
export const createAcls = handler({
  request: CreateAclsRequest,
  response: CreateAclsResponse,
  versions: [1, 3],

  handle(_context, request) {
    const codes = request.creations.flatMap((acl) => [
      acl.resourceType,
      acl.resourcePatternType,
      acl.operation,
      acl.permissionType,
    ]);
    refuseUnknown('CreateAcls', codes);
    throw new KafkaError('SECURITY_DISABLED', NO_AUTHORIZER);
  },

  failed: (request, errorCode, errorMessage) => ({
    results: request.creations.map(() => ({ errorCode, errorMessage })),
  }),
});
