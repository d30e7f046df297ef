/** Metadata that this node cannot begin from; the message says which file and why. */
export class UnreadableMetadata extends Error {}

/** Behind the path of a file that a quorum with dynamic voters has written. */
export const KRAFT_VERSION_1 =
  'is of kraft.version 1, which keeps the voters in the metadata log (KIP-853); odradek supports kraft.version 0 only.';
