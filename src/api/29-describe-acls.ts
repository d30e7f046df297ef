import { KafkaError } from '../../protocol/errors.ts';
import { DescribeAclsRequest, DescribeAclsResponse } from '../../protocol/messages/29-describe-acls.ts';
import { refuseUnknown } from './acls.ts';
import { handler } from './handler.ts';

/** DescribeAcls (KIP-140, KIP-290): there is no authorizer. */
export const describeAcls = handler({
  request: DescribeAclsRequest,
  response: DescribeAclsResponse,
  versions: [1, 3],

  handle(_context, { resourceTypeFilter, patternTypeFilter, operation, permissionType }) {
    refuseUnknown('DescribeAcls', [resourceTypeFilter, patternTypeFilter, operation, permissionType]);
    throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured on the broker');
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage, resources: [] }),
});
