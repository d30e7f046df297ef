/** The segments of one log in order, and what speeds reads at its end. There is always one, the last, that takes appends. */
import { Boundaries } from './boundaries.ts';
import { CLEANED_SUFFIX, offsetFileName, SEGMENT_SUFFIXES } from './names.ts';
import { type BatchRange, findRange, type ReadOptions } from './reading.ts';
import type { LogResources } from './resources.ts';
import { Segment } from './segment.ts';
import { TAIL_REACH_BYTES, Tail } from './tail.ts';

export interface AbortedTransaction {
  producerId: number;
  firstOffset: number;
}

export class SegmentList {
  readonly #resources: LogResources;
  readonly #dir: string;
  readonly #segments: Segment[];
  #active: Segment;
  /** Both of the active segment. */
  readonly #tail: Tail;
  readonly #boundaries = new Boundaries();

  /** Takes over `segments`, which are in order and at least one. */
  constructor(resources: LogResources, dir: string, segments: Segment[]) {
    this.#resources = resources;
    this.#dir = dir;
    this.#segments = segments;
    this.#active = segments[segments.length - 1];
    this.#tail = new Tail(resources.tails);
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  get first(): Segment {
    return this.#segments[0];
  }

  get active(): Segment {
    return this.#active;
  }

  /** Of the .log files. */
  get sizeBytes(): number {
    let sum = 0;
    for (const segment of this.#segments) sum += segment.sizeBytes;
    return sum;
  }

  /** The last segment that begins at or below `offset`; the first one when all begin above. */
  indexOf(offset: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    if (this.#segments[high].baseOffset <= offset) return high;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle].baseOffset <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  append(batches: Buffer, firstOffset: number, indexIntervalBytes: number): void {
    const position = this.#active.sizeBytes;
    this.#active.append(batches, indexIntervalBytes);
    this.#boundaries.note(firstOffset, position);
    this.#tail.append(batches, position);
  }

  /** Begins a segment at `offset`. One that is empty and begins there too makes room. */
  start(offset: number, nowMs: number): void {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.baseOffset === offset) {
      last.remove();
      this.#segments.pop();
    }
    const segment = new Segment(this.#resources.files, this.#dir, offset, nowMs, null);
    // The name is all that says where an empty log goes on.
    if (offset > 0) segment.createFile();
    this.#segments.push(segment);
    this.#active = segment;
    this.forgetTail();
  }

  /** Takes out the first `count`, at least one remaining. */
  removeFirst(count: number): Segment[] {
    return this.#segments.splice(0, count);
  }

  /** Takes out all; `start` has to follow. */
  removeAll(): Segment[] {
    return this.#segments.splice(0);
  }

  /** Takes out the segments that begin above `offset`, the last one first. `truncateActive` has to follow. */
  removeAbove(offset: number): Segment[] {
    return this.#segments.splice(this.indexOf(offset) + 1).reverse();
  }

  /** The segment that a compaction has written; its files end in .cleaned. */
  openCleaned(baseOffset: number, createdMs: number): Segment {
    const names = cleanedNames(baseOffset).filter((name) => this.#resources.disk.exists(`${this.#dir}/${name}`));
    return new Segment(this.#resources.files, this.#dir, baseOffset, createdMs, new Set(names), CLEANED_SUFFIX);
  }

  /** Removes what a compaction has left there. */
  removeCleaned(baseOffset: number): void {
    for (const name of cleanedNames(baseOffset)) this.#resources.disk.remove(`${this.#dir}/${name}`);
  }

  /** Whether all of `segments` stand here, one after the other, before the active one. */
  holdsInactive(segments: readonly Segment[]): boolean {
    const from = this.#segments.indexOf(segments[0]);
    return (
      from >= 0 && segments.every((segment, i) => segment === this.#segments[from + i] && segment !== this.#active)
    );
  }

  /** Puts `cleaned` in the place of `old`, which `holdsInactive`. */
  replace(old: readonly Segment[], cleaned: Segment): void {
    this.#segments.splice(this.#segments.indexOf(old[0]), old.length, cleaned);
  }

  /** Drops the batch that holds `offset`, and all after it, from what is the last segment now. */
  truncateActive(offset: number, nowMs: number): void {
    this.#active = this.#segments[this.#segments.length - 1];
    this.#active.truncateTo(offset, nowMs);
    this.forgetTail();
  }

  forgetTail(): void {
    this.#tail.clear();
    this.#boundaries.clear();
  }

  /** Somebody waits at the end of the log. */
  wantTail(): void {
    this.#tail.want();
  }

  /**
   * Where whole batches stand from `offset` on, up to `upTo`, which is not above `logEndOffset`, the end of their segment, or `maxBytes`;
   * null where there is none.
   */
  find(offset: number, upTo: number, logEndOffset: number, maxBytes: number, options: ReadOptions): BatchRange | null {
    for (let i = this.indexOf(offset); i < this.#segments.length; i++) {
      const segment = this.#segments[i];
      if (segment.baseOffset >= upTo) break;
      const start = this.#locate(segment, offset);
      if (start < 0) continue;
      const isActive = segment === this.#active;
      const segmentEnd = isActive ? logEndOffset : this.#segments[i + 1].baseOffset;
      const end = upTo < segmentEnd ? this.#endOf(segment, upTo) : segment.sizeBytes;
      if (isActive && segment.sizeBytes - start <= TAIL_REACH_BYTES) this.#tail.want();
      const tail = isActive ? this.#tail : null;
      return findRange(segment, tail, start, end, Math.min(upTo, segmentEnd), maxBytes, options.minOneBatch);
    }
    return null;
  }

  /** Bytes of batches in [fromOffset, upTo). */
  bytesBetween(fromOffset: number, upTo: number): number {
    let sum = 0;
    for (let i = this.indexOf(fromOffset); i < this.#segments.length; i++) {
      const segment = this.#segments[i];
      if (segment.baseOffset >= upTo) break;
      const start = segment.baseOffset >= fromOffset ? 0 : this.#locate(segment, fromOffset);
      const holdsEnd = i + 1 === this.#segments.length || this.#segments[i + 1].baseOffset >= upTo;
      const end = holdsEnd ? this.#endOf(segment, upTo) : segment.sizeBytes;
      if (start >= 0) sum += Math.max(0, end - start);
    }
    return sum;
  }

  /** The position of the first batch in `segment` that ends at or after `offset`; -1 when there is none. */
  #locate(segment: Segment, offset: number): number {
    if (segment === this.#active) {
      const known = this.#boundaries.find(offset);
      if (known >= 0) return known;
    }
    return segment.locate(offset);
  }

  /** The position behind the last batch that lies below `offset` as a whole. */
  #endOf(segment: Segment, offset: number): number {
    const position = this.#locate(segment, offset);
    return position < 0 ? segment.sizeBytes : position;
  }

  abortedTransactions(fromOffset: number, upTo: number): AbortedTransaction[] {
    const aborted: AbortedTransaction[] = [];
    for (let i = this.indexOf(fromOffset); i < this.#segments.length; i++) {
      for (const entry of this.#segments[i].transactionIndex.all()) {
        if (entry.lastOffset >= fromOffset && entry.firstOffset < upTo) {
          aborted.push({ producerId: entry.producerId, firstOffset: entry.firstOffset });
        }
        if (entry.lastStableOffset >= upTo) return aborted;
      }
    }
    return aborted;
  }

  close(): void {
    this.forgetTail();
    for (const segment of this.#segments) segment.close();
  }
}

const cleanedNames = (baseOffset: number): string[] =>
  SEGMENT_SUFFIXES.map((suffix) => offsetFileName(baseOffset, suffix) + CLEANED_SUFFIX);
