import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { ResourceType } from '../controller/image.ts';
import { alterLoggers } from './broker-loggers.ts';
import { handler, type RequestContext } from './handler.ts';

/** IncrementalAlterConfigs (KIP-339): sets, deletes, appends and subtracts single configurations. */
export const incrementalAlterConfigs = handler({
  request: IncrementalAlterConfigsRequest,
  response: IncrementalAlterConfigsResponse,
  versions: [0, 1],

  handle: (context, request) => alter(context, request),

  failed: (request, errorCode, errorMessage) => ({
    responses: request.resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage,
      resourceType,
      resourceName,
    })),
  }),
});

type Request = MessageOf<typeof IncrementalAlterConfigsRequest>;
type Response = InputOf<typeof IncrementalAlterConfigsResponse>;

/** Loggers are the node's own; everything else is the controller's. */
async function alter({ broker }: RequestContext, request: Request): Promise<Response> {
  const isLogger = (resource: Request['resources'][number]) => resource.resourceType === ResourceType.BROKER_LOGGER;
  const local = request.resources.filter(isLogger).map((r) => alterLoggers(broker, r, request.validateOnly));
  const rest = request.resources.filter((resource) => !isLogger(resource));
  if (rest.length === 0 && local.length > 0) return { responses: local };
  const response = await broker.controller.incrementalAlterConfigs({ ...request, resources: rest });
  return { ...response, responses: [...local, ...(response.responses ?? [])] };
}
