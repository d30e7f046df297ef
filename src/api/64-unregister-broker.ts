import { UnregisterBrokerRequest, UnregisterBrokerResponse } from '../../protocol/messages/64-unregister-broker.ts';
import { handler } from './handler.ts';

/** UnregisterBroker (KIP-746): takes a broker that will not come back from the cluster. */
export const unregisterBroker = handler({
  request: UnregisterBrokerRequest,
  response: UnregisterBrokerResponse,
  versions: [0, 0],

  handle: (context, request) => context.broker.controller.unregisterBroker(request),

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
