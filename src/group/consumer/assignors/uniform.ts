import type { Assignor } from './assignor.ts';
import { assignHeterogeneous } from './uniform-heterogeneous.ts';
import { assignHomogeneous } from './uniform-homogeneous.ts';

/**
 * The uniform assignor of KIP-848: as many partitions for everybody as subscriptions allow, whatever their topics, and no
 * partition moves without need. Racks do not count (Kafka 4.3).
 */
export const uniformAssignor: Assignor = {
  name: 'uniform',
  assign: (group) => (group.isHomogeneous ? assignHomogeneous(group) : assignHeterogeneous(group)),
};
