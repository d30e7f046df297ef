/** A torn tail is the end of a write that did not come to its end: nothing that is valid follows it. */
import { BATCH_HEADER_BYTES, MAGIC_V2, magic, sizeBytes } from '../protocol/records/batch.ts';
import { hasValidCrc } from '../protocol/records/check.ts';
import type { Segment } from './segment.ts';

/** Whether a valid batch, or another segment with anything in it, comes behind byte `position` of segment `i`, where none begins. */
export function isFollowed(segments: readonly Segment[], i: number, position: number): boolean {
  return segments.slice(i + 1).some(({ sizeBytes }) => sizeBytes > 0) || hasBatchBehind(segments[i], position);
}

/** The length of what is not valid may be wrong, too: so a batch is looked for at every byte. */
function hasBatchBehind({ log, sizeBytes }: Segment, position: number): boolean {
  const bytes = Buffer.allocUnsafe(sizeBytes - position);
  log.handle.readSync(bytes, position);
  for (let at = 1; at + BATCH_HEADER_BYTES <= bytes.length; at++) if (isBatch(bytes, at)) return true;
  return false;
}

function isBatch(bytes: Buffer, at: number): boolean {
  if (magic(bytes, at) !== MAGIC_V2) return false;
  const size = sizeBytes(bytes, at);
  return size >= BATCH_HEADER_BYTES && at + size <= bytes.length && hasValidCrc(bytes, at);
}
