import { KafkaError } from '../../protocol/errors.ts';
import {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../../protocol/messages/74-list-config-resources.ts';
import { ResourceType } from '../controller/image.ts';
import type { Broker } from './broker.ts';
import { handler, type RequestContext } from './handler.ts';

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = ResourceType;
const ALL: readonly number[] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];

/** ListConfigResources (KIP-1142); version 0 is ListClientMetricsResources (KIP-1000). */
export const listConfigResources = handler({
  request: ListConfigResourcesRequest,
  response: ListConfigResourcesResponse,
  versions: [0, 1],

  handle(context, request) {
    const types = wantedTypes(context, request.resourceTypes);
    const unknown = types.find((type) => !ALL.includes(type));
    if (unknown !== undefined) throw new KafkaError('UNSUPPORTED_VERSION');
    return {
      configResources: types.flatMap((resourceType) =>
        names(context.broker, resourceType).map((resourceName) => ({ resourceName, resourceType })),
      ),
    };
  },

  failed: (_request, errorCode) => ({ errorCode, configResources: [] }),
});

function wantedTypes({ apiVersion }: RequestContext, given: readonly number[]): readonly number[] {
  if (apiVersion === 0) return [CLIENT_METRICS];
  return given.length === 0 ? ALL : [...new Set(given)];
}

function names(broker: Broker, type: number): string[] {
  if (type === TOPIC) return [...broker.image().topics()].map(({ name }) => name);
  if (type === BROKER || type === BROKER_LOGGER) return [...broker.image().brokers()].map(({ id }) => String(id));
  return broker.image().configuredResources(type);
}
