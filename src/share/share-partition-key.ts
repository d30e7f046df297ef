/** A share partition: what one share group has to do with one partition of a topic (KIP-932). */
export interface SharePartitionKey {
  readonly groupId: string;
  readonly topicId: string;
  readonly partition: number;
}

/** The key as a share coordinator is looked up by it; its hash says which partition of `__share_group_state` keeps the state. */
export function coordinatorKey({ groupId, topicId, partition }: SharePartitionKey): string {
  return `${groupId}:${topicId}:${partition}`;
}

const UUID_BYTES = 16;
const INT32 = { min: -0x8000_0000, max: 0x7fff_ffff };

/** Reads a key as a client sends it; a group id may hold colons. Null for what is no key (SharePartitionKey.getInstance). */
export function parseCoordinatorKey(text: string): SharePartitionKey | null {
  const match = /^(.*):([^:]*):([+-]?\d+)$/s.exec(text);
  if (match === null) return null;
  const [, groupId, topicId, digits] = match;
  const partition = Number(digits);
  if (groupId.trim() === '' || partition < INT32.min || partition > INT32.max) return null;
  const bytes = Buffer.from(topicId, 'base64url');
  return bytes.length === UUID_BYTES ? { groupId, topicId: bytes.toString('base64url'), partition } : null;
}
