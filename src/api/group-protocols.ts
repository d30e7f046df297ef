/** Which protocols of groups this broker speaks. */
import type { Broker } from './broker.ts';

/** Both the cluster (group.version) and this broker must have consumer groups. */
export function servesConsumerGroups(broker: Broker): boolean {
  const isInForce = (broker.image().features.get('group.version') ?? 0) >= 1;
  return isInForce && broker.config().get('group.coordinator.rebalance.protocols').includes('consumer');
}
