import { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts';
import { handler } from './handler.ts';

/** AlterConfigs (KIP-133): replaces all that a resource overrides. Old; IncrementalAlterConfigs came after it. */
export const alterConfigs = handler({
  request: AlterConfigsRequest,
  response: AlterConfigsResponse,
  versions: [0, 2],

  handle: (context, request) => context.broker.controller.alterConfigs(request),

  failed: (request, errorCode, errorMessage) => ({
    responses: request.resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage,
      resourceType,
      resourceName,
    })),
  }),
});
