/** Metadata that this node cannot begin from; the message says which file and why. */
export class UnreadableMetadata extends Error {}
