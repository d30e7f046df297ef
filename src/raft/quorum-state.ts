/**
 * `quorum-state` beside the metadata log: what a voter must not forget (KIP-595). JSON in the form that Kafka's FileQuorumStateStore
 * writes with kraft.version 0 (QuorumStateData version 0).
 */
import type { Disk } from '../../storage/index.ts';

export interface QuorumState {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly voters: readonly number[];
}

const FILE = 'quorum-state';

/** Null where there is none. Throws on one that cannot be read: electing anew might contradict an earlier vote. */
export function readQuorumState(disk: Disk, dir: string): QuorumState | null {
  const bytes = disk.readFile(`${dir}/${FILE}`);
  if (bytes === null || bytes.length === 0) return null;
  const state = JSON.parse(bytes.toString('utf8'));
  const voters: { voterId: number }[] = state.currentVoters ?? [];
  return { leaderId: state.leaderId, leaderEpoch: state.leaderEpoch, voters: voters.map((v) => v.voterId) };
}

export function writeQuorumState(disk: Disk, dir: string, state: QuorumState): void {
  const json = {
    clusterId: '',
    leaderId: state.leaderId,
    leaderEpoch: state.leaderEpoch,
    votedId: -1,
    appliedOffset: 0,
    currentVoters: state.voters.map((voterId) => ({ voterId })),
    data_version: 0,
  };
  disk.writeFile(`${dir}/${FILE}`, JSON.stringify(json), { durable: true });
}
