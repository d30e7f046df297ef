import { ErrorCode } from '../../protocol/errors.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { handler, type RequestContext } from './handler.ts';

/** What a client may call itself (KIP-511). */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
const SOFTWARE_SINCE = 3;
/** KIP-1013: from this version on features with minimum version 0 may be told; older clients choke on them. */
const ZERO_FEATURES_SINCE = 4;

/** ApiVersions: the ranges of the handlers, and the features of the cluster (KIP-584). */
export const apiVersions = handler({
  request: ApiVersionsRequest,
  response: ApiVersionsResponse,
  versions: [0, 4],

  handle(context, request) {
    if (context.apiVersion >= SOFTWARE_SINCE) {
      const { clientSoftwareName: name, clientSoftwareVersion: version } = request;
      if (!SOFTWARE.test(name) || !SOFTWARE.test(version)) return { errorCode: ErrorCode.INVALID_REQUEST };
      context.connection.clientSoftware = { name, version };
    }
    return { apiKeys: context.broker.apis, ...features(context) };
  },

  failed: (_request, errorCode) => ({ errorCode }),
});

function features(
  context: RequestContext,
): Pick<InputOf<typeof ApiVersionsResponse>, 'supportedFeatures' | 'finalizedFeatures' | 'finalizedFeaturesEpoch'> {
  const { supported, finalized, epoch } = context.broker.features();
  const told = supported.filter((f) => context.apiVersion >= ZERO_FEATURES_SINCE || f.minVersion > 0);
  return {
    supportedFeatures: told,
    finalizedFeaturesEpoch: epoch,
    finalizedFeatures: finalized.map(({ name, level }) => ({ name, minVersionLevel: level, maxVersionLevel: level })),
  };
}
