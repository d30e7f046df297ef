import { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/57-update-features.ts';
import { handler } from './handler.ts';

/** UpdateFeatures (KIP-584, KIP-1022): all updates of a request or none. */
export const updateFeatures = handler({
  request: UpdateFeaturesRequest,
  response: UpdateFeaturesResponse,
  versions: [0, 2],

  handle: (context, request) => context.broker.controller.updateFeatures(request),

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage, results: [] }),
});
