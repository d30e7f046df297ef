import { KafkaError } from '../../protocol/errors.ts';
import type { RequestContext } from './handler.ts';

/** Throws UNSUPPORTED_VERSION where the cluster or the broker does not serve streams groups. */
export function requireStreamsGroups({ broker }: RequestContext): void {
  const isOfCluster = (broker.image().features.get('streams.version') ?? 0) > 0;
  const isOfBroker = broker.config().get('group.coordinator.rebalance.protocols').includes('streams');
  if (!isOfCluster || !isOfBroker) throw new KafkaError('UNSUPPORTED_VERSION');
}
