import type { Endpoint, Features } from '../api/broker.ts';
import { KRAFT_VERSION, SUPPORTED_FEATURES } from '../controller/features.ts';
import type { MetadataImage } from '../controller/image.ts';

/** What ApiVersions says of features (KIP-584). */
export function featuresOf(image: MetadataImage, kraftVersion: number): Features {
  const ofQuorum = kraftVersion > 0 ? [{ name: KRAFT_VERSION, level: kraftVersion }] : [];
  return {
    supported: SUPPORTED_FEATURES.map(({ name, minLevel, maxLevel }) => ({
      name,
      minVersion: minLevel,
      maxVersion: maxLevel,
    })),
    finalized: [...[...image.features].map(([name, level]) => ({ name, level })), ...ofQuorum],
    epoch: image.offset,
  };
}

/** The brokers that serve, as they are reached through one listener. */
export function endpointsOf(image: MetadataImage, listenerName: string): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const { id: nodeId, endpoints: all, rack, fenced } of image.brokers()) {
    const found = all.find((e) => e.name === listenerName);
    if (found !== undefined && !fenced) endpoints.push({ nodeId, host: found.host, port: found.port, rack });
  }
  return endpoints;
}
