import { KafkaError } from '../../protocol/errors.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import type { Broker } from './broker.ts';

interface VoterKey {
  readonly clusterId: string | null;
  readonly voterId: number;
  readonly voterDirectoryId: string;
}

/** What is wrong with naming this voter (KIP-853), before it matters what the quorum can do. */
export function checkVoter(broker: Broker, api: 'Add' | 'Remove', key: VoterKey): void {
  const { clusterId, voterId, voterDirectoryId } = key;
  if (clusterId !== null && clusterId !== broker.clusterId) {
    const message = `The given id "${clusterId}" doesn't match the cluster id "${broker.clusterId}"`;
    throw new KafkaError('INCONSISTENT_CLUSTER_ID', message);
  }
  if (voterId < 0 || voterDirectoryId === ZERO_UUID) {
    throw new KafkaError('INVALID_REQUEST', `${api} voter request didn't include a valid voter`);
  }
}

/** The voters may change only where they stand in the metadata log, not in the configuration. */
export function mustBeDynamic(broker: Broker, verb: 'adding' | 'removing'): void {
  const { kraftVersion } = broker.controller.quorum();
  if (kraftVersion > 0) return;
  const message = `Cluster doesn't support ${verb} voter because the kraft.version feature is ${kraftVersion}`;
  throw new KafkaError('UNSUPPORTED_VERSION', message);
}

/** As Kafka prints a voter. */
const replicaKey = (id: number, directoryId: string): string => `ReplicaKey(id=${id}, directoryId=${directoryId})`;

export const named = ({ voterId, voterDirectoryId }: VoterKey): string => replicaKey(voterId, voterDirectoryId);

/** All voters, as Kafka prints them. */
export const voters = (broker: Broker): string =>
  `[${broker.controller
    .quorum()
    .voters.map(({ id, directoryId }) => replicaKey(id, directoryId))
    .join(', ')}]`;
