/** Which neighbouring segments a compaction makes one of, so that segments do not shrink away (Kafka: groupSegmentsBySize). */
import type { LogConfig } from '../log-config.ts';
import { MAX_RELATIVE_OFFSET } from '../offset-index.ts';
import type { Segment } from '../segment.ts';

/** The segments of a group change places in one go, while nothing else runs: a bound on how long that takes. */
const MAX_SEGMENTS = 32;

type Limits = Pick<LogConfig, 'segmentBytes' | 'segmentIndexBytes'>;

/** `segments` in groups of neighbours; each group fits into one segment. `endOffset` is the offset after the last of them. */
export function groupSegments(segments: readonly Segment[], limits: Limits, endOffset: number): Segment[][] {
  const groups: Segment[][] = [];
  let group: Group | null = null;
  for (const [i, segment] of segments.entries()) {
    const next = i + 1 < segments.length ? segments[i + 1].baseOffset : endOffset;
    if (group === null || !group.takes(segment, next - 1, limits)) {
      group = new Group();
      groups.push(group.segments);
    }
    group.add(segment);
  }
  return groups;
}

class Group {
  readonly segments: Segment[] = [];
  #logBytes = 0;
  #offsetIndexBytes = 0;
  #timeIndexBytes = 0;

  takes(segment: Segment, lastOffset: number, limits: Limits): boolean {
    return (
      this.segments.length < MAX_SEGMENTS &&
      this.#logBytes + segment.sizeBytes <= limits.segmentBytes &&
      this.#offsetIndexBytes + segment.offsetIndex.sizeBytes <= limits.segmentIndexBytes &&
      this.#timeIndexBytes + segment.timeIndex.sizeBytes <= limits.segmentIndexBytes &&
      (segment.sizeBytes === 0 || lastOffset - this.segments[0].baseOffset <= MAX_RELATIVE_OFFSET)
    );
  }

  add(segment: Segment): void {
    this.segments.push(segment);
    this.#logBytes += segment.sizeBytes;
    this.#offsetIndexBytes += segment.offsetIndex.sizeBytes;
    this.#timeIndexBytes += segment.timeIndex.sizeBytes;
  }
}
