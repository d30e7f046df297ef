/** Buffers in which the batches of one partition wait for the end of a turn: used again, since the page faults of a fresh one cost more than filling it. */

export const SLAB_BYTES = 128 * 1024;
/** So many are kept: what a producer with some partitions needs. */
const MAX_SPARE_SLABS = 16;
const spare: Buffer[] = [];

export function takeSlab(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
}

export function giveBackSlab(slab: Buffer): void {
  if (spare.length < MAX_SPARE_SLABS) spare.push(slab);
}
