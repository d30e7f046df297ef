/** This node in the metadata quorum, as its configuration has it. */
import type { Disk } from '../../storage/index.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { MAX_KRAFT_VERSION, type Voter, type VoterEndpoint } from '../raft/quorum.ts';
import { isFormatted } from './bootstrap.ts';

/** Where this node's controller can be reached; nowhere, if it has no controller listener. */
export const controllerEndpoints = ({ listeners }: BrokerConfig): VoterEndpoint[] =>
  listeners.advertisedController.map(({ name, host, port }) => ({ name, host: host || 'localhost', port }));

/** `directoryId` is that of the folder with the metadata log. */
export function localVoter(nodeId: number, directoryId: string, config: BrokerConfig): Voter {
  const endpoints = controllerEndpoints(config);
  return { id: nodeId, directoryId, endpoints, minKraftVersion: 0, maxKraftVersion: MAX_KRAFT_VERSION };
}

/**
 * The kraft.version of a metadata log that is not there yet. With controller.quorum.voters, or where `kafka-storage format` has left no
 * voters, the configuration is to name them; else the log does, as after `kafka-storage format --standalone`.
 */
export function initialKraftVersion(config: BrokerConfig, disk: Disk, dir: string): number {
  return config.get('controller.quorum.voters').length > 0 || isFormatted(disk, dir) ? 0 : MAX_KRAFT_VERSION;
}
