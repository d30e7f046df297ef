/** A metadata log that this node cannot begin from; the message says why. */
export class UnreadableMetadata extends Error {}
