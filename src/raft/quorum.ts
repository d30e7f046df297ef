/**
 * Who votes in the metadata quorum. With kraft.version 0 the configuration says it (KIP-595); from version 1 on the metadata log does, in
 * control records, and with each voter where it listens (KIP-853).
 */
import {
  type ControlRecord,
  kraftVersionRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../../protocol/records/control.ts';
import type { RecordInput } from '../../protocol/records/encode.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';

/** Up to here this release understands what the log says of its voters. */
export const MAX_KRAFT_VERSION = 1;

export interface VoterEndpoint {
  /** Of the listener. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface Voter {
  readonly id: number;
  /** directory.id of the folder with its metadata log; ZERO_UUID for a voter that the configuration names. */
  readonly directoryId: string;
  /** Where it listens for the quorum. */
  readonly endpoints: readonly VoterEndpoint[];
  /** The kraft.versions that it understands. */
  readonly minKraftVersion: number;
  readonly maxKraftVersion: number;
}

export interface Quorum {
  readonly kraftVersion: number;
  readonly voters: readonly Voter[];
}

/** The quorum of a node that the configuration makes the only voter: its folder does not count. */
export const staticQuorum = (voter: Voter): Quorum => ({
  kraftVersion: 0,
  voters: [{ ...voter, directoryId: ZERO_UUID }],
});

export function isSameVoter(a: Voter, b: Voter): boolean {
  return (
    a.id === b.id &&
    a.directoryId === b.directoryId &&
    a.minKraftVersion === b.minKraftVersion &&
    a.maxKraftVersion === b.maxKraftVersion &&
    inOrder(a.endpoints) === inOrder(b.endpoints)
  );
}

/** A voter has one endpoint for each name of a listener, in no order. */
function inOrder(endpoints: readonly VoterEndpoint[]): string {
  const addresses = endpoints.map(({ name, host, port }) => `${name}://${host}:${port}`);
  return addresses.sort().join();
}

/** The control records that say it, in Kafka's order; none with kraft.version 0. */
export function quorumRecords({ kraftVersion, voters }: Quorum): RecordInput[] {
  if (kraftVersion === 0) return [];
  const described = voters.map((voter) => ({
    voterId: voter.id,
    voterDirectoryId: voter.directoryId,
    endpoints: voter.endpoints,
    kRaftVersionFeature: { minSupportedVersion: voter.minKraftVersion, maxSupportedVersion: voter.maxKraftVersion },
  }));
  return [kraftVersionRecord({ kRaftVersion: kraftVersion }), votersRecord({ voters: described })];
}

/** The first records of a snapshot: when the last record was appended that it stands for, and the quorum of that place. */
export function snapshotHead(lastContainedLogTimestamp: number, quorum: Quorum | null): RecordInput[] {
  return [snapshotHeaderRecord({ lastContainedLogTimestamp }), ...(quorum === null ? [] : quorumRecords(quorum))];
}

/** What a control record makes of the quorum; the same object where it says nothing of it. */
export function applyControl(quorum: Quorum, control: ControlRecord): Quorum {
  if (control.type === 'kraft-version') return { ...quorum, kraftVersion: control.value.kRaftVersion };
  if (control.type !== 'kraft-voters') return quorum;
  const voters = control.value.voters.map(({ voterId, voterDirectoryId, endpoints, kRaftVersionFeature }) => ({
    id: voterId,
    directoryId: voterDirectoryId,
    endpoints: endpoints.map(({ name, host, port }) => ({ name, host, port })),
    minKraftVersion: kRaftVersionFeature.minSupportedVersion,
    maxKraftVersion: kRaftVersionFeature.maxSupportedVersion,
  }));
  return { ...quorum, voters };
}
