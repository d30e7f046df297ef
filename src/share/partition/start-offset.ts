import { KafkaError } from '../../../protocol/errors.ts';
import { durationMs } from '../../config/duration.ts';
import type { Partition } from '../../partition/partition.ts';

const BY_DURATION = 'by_duration:';

/**
 * Where a group begins that has not read the partition yet: `strategy` is share.auto.offset.reset. Throws OFFSET_NOT_AVAILABLE where
 * there is no record as late as it says.
 */
export function startOffset(partition: Partition, strategy: string, nowMs: number): number {
  if (strategy === 'latest') return partition.highWatermark;
  if (strategy === 'earliest') return partition.logStartOffset;
  const timestampMs = nowMs - (durationMs(strategy.slice(BY_DURATION.length)) ?? 0);
  const found = partition.log.offsetForTimestamp(timestampMs);
  if (found !== null && found.offset < partition.highWatermark) return found.offset;
  const where = `${partition.topic}-${partition.index}`;
  throw new KafkaError('OFFSET_NOT_AVAILABLE', `No offset for timestamp ${timestampMs} in partition ${where}`);
}
