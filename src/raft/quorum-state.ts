/**
 * `quorum-state` beside the metadata log: what a voter must not forget (KIP-595). JSON in the form that Kafka's FileQuorumStateStore
 * writes with kraft.version 0 (QuorumStateData version 0).
 */
import type { Disk } from '../../storage/index.ts';
import type { QuorumState } from './core.ts';
import { KRAFT_VERSION_1, UnreadableMetadata } from './unreadable-metadata.ts';

const FILE = 'quorum-state';
const DATA_VERSION = 0;

/** Null where there is none. Throws UnreadableMetadata on one that is not understood: electing anew might contradict an earlier vote. */
export function readQuorumState(disk: Disk, dir: string): QuorumState | null {
  const path = `${dir}/${FILE}`;
  const bytes = disk.readFile(path);
  if (bytes === null || bytes.length === 0) return null;
  const state = parse(bytes, path);
  if (state.data_version !== DATA_VERSION) throw new UnreadableMetadata(`${path} ${KRAFT_VERSION_1}`);
  const voters = (state.currentVoters ?? []).map(({ voterId }) => voterId);
  return { leaderId: state.leaderId, leaderEpoch: state.leaderEpoch, voters };
}

interface QuorumStateData {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly currentVoters?: readonly { readonly voterId: number }[] | null;
  readonly data_version: number;
}

function parse(bytes: Buffer, path: string): QuorumStateData {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new UnreadableMetadata(`${path} is damaged: it is no JSON.`);
  }
}

export function writeQuorumState(disk: Disk, dir: string, state: QuorumState): void {
  const json = {
    clusterId: '',
    leaderId: state.leaderId,
    leaderEpoch: state.leaderEpoch,
    votedId: -1,
    appliedOffset: 0,
    currentVoters: state.voters.map((voterId) => ({ voterId })),
    data_version: DATA_VERSION,
  };
  disk.writeFile(`${dir}/${FILE}`, JSON.stringify(json), { durable: true });
}
