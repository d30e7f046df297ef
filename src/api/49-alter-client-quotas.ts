import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../protocol/messages/49-alter-client-quotas.ts';
import { handler } from './handler.ts';

/** AlterClientQuotas (KIP-546): kept in the metadata log. */
export const alterClientQuotas = handler({
  request: AlterClientQuotasRequest,
  response: AlterClientQuotasResponse,
  versions: [0, 1],

  handle: (context, request) => context.broker.controller.alterClientQuotas(request),

  failed: (request, errorCode, errorMessage) => ({
    entries: request.entries.map(({ entity }) => ({ errorCode, errorMessage, entity })),
  }),
});
