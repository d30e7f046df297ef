/** What the kernel holds of a file in memory. */
import type { DiskFile } from './disk.ts';
import { libc } from './libc.ts';

/**
 * Whether bytes can be read without waiting for a disk, judged by so many places among them, both ends included; true where the system
 * cannot say.
 */
export function isProbablyCached({ descriptor }: DiskFile, position: number, sizeBytes: number, places = 2): boolean {
  if (descriptor === undefined || sizeBytes === 0) return true;
  const system = libc();
  if (system === null) return true;
  for (let i = 0; i < places; i++) {
    const at = position + Math.floor(((sizeBytes - 1) * i) / (places - 1));
    if (!system.isCached(descriptor, at)) return false;
  }
  return true;
}
