/**
 * `quorum-state` beside the metadata log: what a voter must not forget (KIP-595). JSON in the form that Kafka's FileQuorumStateStore
 * writes: QuorumStateData version 0 with kraft.version 0, version 1 with kraft.version 1, whose voters stand in the log (KIP-853).
 */
import { ZERO_UUID } from '../../protocol/uuid.ts';
import type { Disk } from '../../storage/index.ts';
import type { QuorumState } from './core.ts';
import { MAX_KRAFT_VERSION } from './quorum.ts';
import { UnreadableMetadata } from './unreadable-metadata.ts';

const FILE = 'quorum-state';
const NOBODY = -1;

/** Null where there is none. Throws UnreadableMetadata on one that is not understood: electing anew might contradict an earlier vote. */
export function readQuorumState(disk: Disk, dir: string): QuorumState | null {
  const path = `${dir}/${FILE}`;
  const bytes = disk.readFile(path);
  if (bytes === null || bytes.length === 0) return null;
  const state = parse(bytes, path);
  const { leaderId, leaderEpoch, data_version: kraftVersion } = state;
  if (!(kraftVersion >= 0 && kraftVersion <= MAX_KRAFT_VERSION)) {
    throw new UnreadableMetadata(`${path} is of version ${kraftVersion}, which odradek does not know.`);
  }
  const voters = (state.currentVoters ?? []).map(({ voterId }) => voterId);
  return { leaderId, leaderEpoch, voters, kraftVersion };
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
  const json = state.kraftVersion === 0 ? withVoters(state) : withoutVoters(state);
  disk.writeFile(`${dir}/${FILE}`, JSON.stringify(json), { durable: true });
}

const withVoters = ({ leaderId, leaderEpoch, voters }: QuorumState) => ({
  clusterId: '',
  leaderId,
  leaderEpoch,
  votedId: NOBODY,
  appliedOffset: 0,
  currentVoters: voters.map((voterId) => ({ voterId })),
  data_version: 0,
});

const withoutVoters = ({ leaderId, leaderEpoch }: QuorumState) => ({
  leaderId,
  leaderEpoch,
  votedId: NOBODY,
  votedDirectoryId: ZERO_UUID,
  data_version: 1,
});
