/**
 * The partition of the internal topic that keeps what belongs to a group id, transactional id or share partition: Java's
 * String.hashCode made non-negative, modulo the partitions. Part of the protocol: every broker must come to the same one.
 */
export function partitionFor(id: string, partitionCount: number): number {
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0;
  // Kafka's Utils.abs: the smallest integer, which has no opposite, counts as 0
  return (hash === -0x8000_0000 ? 0 : Math.abs(hash)) % partitionCount;
}
