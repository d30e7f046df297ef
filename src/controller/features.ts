import { MAX_KRAFT_VERSION } from '../raft/quorum.ts';

/** The features that this release knows (KIP-584), with the levels that a new cluster of Kafka 4.3 gets. */
export interface SupportedFeature {
  readonly name: string;
  readonly minLevel: number;
  readonly maxLevel: number;
  /** Level of a new cluster; 0 means not in force. */
  readonly initialLevel: number;
}

export const METADATA_VERSION = 'metadata.version';
export const KRAFT_VERSION = 'kraft.version';
export const TRANSACTION_VERSION = 'transaction.version';
export const ELR_VERSION = 'eligible.leader.replicas.version';

/** Levels of metadata.version from which on records say more (MetadataVersion). */
export const MetadataLevel = {
  ZK_MIGRATION: 8,
  METADATA_TRANSACTIONS: 13,
  CONTROLLER_REGISTRATION: 15,
  DIRECTORY_ASSIGNMENT: 17,
  ELIGIBLE_LEADER_REPLICAS: 23,
  CORDONED_LOG_DIRS: 30,
} as const;

/** In the order in which Kafka formats them. */
export const SUPPORTED_FEATURES: readonly SupportedFeature[] = [
  { name: METADATA_VERSION, minLevel: 7, maxLevel: 30, initialLevel: 30 },
  { name: ELR_VERSION, minLevel: 0, maxLevel: 1, initialLevel: 1 },
  { name: 'group.version', minLevel: 0, maxLevel: 1, initialLevel: 1 },
  // the level in force is not among the records of the image: the raft log keeps it with the voters (KIP-853)
  { name: KRAFT_VERSION, minLevel: 0, maxLevel: MAX_KRAFT_VERSION, initialLevel: 0 },
  { name: 'share.version', minLevel: 0, maxLevel: 1, initialLevel: 1 },
  { name: 'streams.version', minLevel: 0, maxLevel: 1, initialLevel: 1 },
  { name: TRANSACTION_VERSION, minLevel: 0, maxLevel: 2, initialLevel: 2 },
];

/** The levels of metadata.version whose records differ from those before: a way back across one might lose something. */
const CHANGED_METADATA: readonly number[] = [7, 8, 11, 13, 14, 15, 17, 23, 30];

/** Whether a level above `from`, up to and including `to`, changed the records of the metadata log. */
export function metadataChangedBetween(from: number, to: number): boolean {
  return CHANGED_METADATA.some((level) => level > from && level <= to);
}
