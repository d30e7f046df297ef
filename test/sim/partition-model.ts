/** What the log of one partition has to be: a list of batches and some bounds, without segments, files or indexes. */
import type { Log } from '../../storage/index.ts';
import { ensure } from './invariant.ts';
import { type ModelBatch, readBatches } from './model-batch.ts';

/** How the log came to be opened again. */
export type Restart = 'clean' | 'killed' | 'powerCut';

export interface RestartBounds {
  /** All below outlasts what has happened. */
  readonly durableEnd: number;
  /** Whether a truncation that had cut it off may have come undone. */
  mayBeFormer(batch: ModelBatch): boolean;
}

export class PartitionModel {
  /** All there ever was up to the log end, deleted records included: producers are remembered longer than their records. */
  batches: ModelBatch[] = [];
  start = 0;
  end = 0;
  /** What must be there after a kill; below `end` while an append or a truncation has not come back. */
  minEnd = 0;
  /** The log start may have got that far; above `start` while a deletion has not come back. */
  maxStart = 0;
  /** A checkpoint with this log start is on disk. */
  durableStart = 0;
  /** A truncation may come undone at a power cut: what was cut off is there again, or mixed with what followed. */
  #wasTruncated = false;
  /** A power cut has brought back what was cut off, with the producers of batches that nobody has here any more. */
  hasFormer = false;
  #maybe: ModelBatch[] = [];
  /** The highest log start of all: what belongs to records below it may have been forgotten, even when a crash brings them back. */
  rememberedFrom = 0;
  /** A compaction leaves offsets out. */
  hasGaps = false;
  /** Producers that the log may know by an earlier state, or not at all. */
  readonly forgettable = new Set<number>();
  /** Each batch that was ever handed to the log. */
  readonly #genuine = new Set<string>();

  expect(batches: readonly ModelBatch[]): void {
    this.#maybe = [];
    this.batches.push(...batches);
    this.end = batches[batches.length - 1].last + 1;
    for (const batch of batches) this.#genuine.add(batch.bytes.toString('latin1'));
  }

  /** The append of `batches` came back well: what the log knew of their producers before does not matter any more. */
  acknowledged(batches: readonly ModelBatch[]): void {
    for (const { producerId, marker } of batches) if (marker === null) this.forgettable.delete(producerId);
    this.settled();
  }

  /** The operation came back: nothing is in the balance any more. */
  settled(): void {
    this.#maybe = [];
    this.minEnd = this.end;
    this.maxStart = this.start;
  }

  /** The append of what was expected last failed: the log goes on without it, but a part may be there after an unclean end. */
  failed(base: number): void {
    this.#maybe = this.batches.filter((batch) => batch.base >= base);
    // What was written of it was cut off again.
    this.#wasTruncated = true;
    this.forget(base);
  }

  /** Takes back what `expect` added from offset `end` on. */
  forget(end: number): void {
    this.batches = this.batches.filter((batch) => batch.last < end);
    this.end = end;
    this.minEnd = Math.min(this.minEnd, end);
  }

  willTruncate(offset: number): void {
    // The batch that holds the offset goes as a whole, and only afterwards the log goes on at the offset.
    const holder = this.batches.find(({ base, last }) => base <= offset && last >= offset);
    this.minEnd = Math.min(this.minEnd, holder?.base ?? offset);
    this.#wasTruncated = true;
  }

  truncated(offset: number): void {
    this.forget(offset);
    this.start = Math.min(this.start, offset);
    this.rememberedFrom = Math.min(this.rememberedFrom, offset);
    this.durableStart = Math.min(this.durableStart, offset);
  }

  /** The start of a batch in the log, or the log end. */
  boundary(pick: (bound: number) => number): number {
    const within = this.batches.filter((batch) => batch.base >= this.start);
    return within[pick(within.length + 1)]?.base ?? this.end;
  }

  /** The log as it was found at a start has to be one that the model allows; from now on it is this one. */
  checkRestarted(log: Log, restart: Restart, recoveryPoint: number): void {
    const found = readBatches(log, log.logStartOffset, this.hasGaps);
    if (restart !== 'clean' && this.#maybe.length > 0) this.expect(this.#maybe);
    this.#checkBounds(log, restart, recoveryPoint);
    const mayMix = restart === 'powerCut' && this.#wasTruncated;
    this.hasFormer ||= mayMix;
    this.checkFound(log, found, {
      durableEnd: restart === 'powerCut' ? recoveryPoint : Number.POSITIVE_INFINITY,
      mayBeFormer: (batch) => mayMix && batch.last >= recoveryPoint,
    });
    this.rememberedFrom = Math.max(this.rememberedFrom, this.maxStart);
    this.start = log.logStartOffset;
    this.end = log.logEndOffset;
    this.durableStart = Math.min(this.durableStart, this.start);
    if (restart === 'powerCut') this.#wasTruncated = false;
    this.settled();
    this.check(log);
  }

  /** What the log holds has to be what was written. What may be former is taken over. */
  protected checkFound(log: Log, found: readonly ModelBatch[], { mayBeFormer }: RestartBounds): void {
    checkDense(log, found);
    for (const batch of found) this.#checkBatch(log, batch, mayBeFormer(batch));
    const before = this.batches.filter((batch) => batch.last < (found[0]?.base ?? log.logStartOffset));
    this.batches = [...before, ...found];
  }

  #checkBounds(log: Log, restart: Restart, recoveryPoint: number): void {
    const { logStartOffset: start, logEndOffset: end } = log;
    const minEnd = restart === 'powerCut' ? Math.min(this.minEnd, recoveryPoint) : this.minEnd;
    const where = `${log.dir} after ${restart}`;
    ensure('nothing acknowledged is lost', end >= minEnd, () => `${where} ends at ${end}, not ${minEnd} or more`);
    const mayExceed = restart === 'powerCut' && this.#wasTruncated;
    ensure(
      'nothing is made up',
      end <= this.end || mayExceed,
      () => `${where} ends at ${end}, not ${this.end} or less`,
    );
    const minStart = restart === 'clean' ? this.start : Math.min(this.durableStart, end);
    ensure('the log start stays', start >= minStart, () => `${where} starts at ${start}, before ${minStart}`);
    ensure('nothing is deleted', start <= this.maxStart, () => `${where} starts at ${start}, after ${this.maxStart}`);
  }

  #checkBatch(log: Log, batch: ModelBatch, mayBeFormer: boolean): void {
    const expected = this.batches.find((candidate) => candidate.base === batch.base);
    const same = expected?.bytes.equals(batch.bytes) ?? false;
    const known = same || (mayBeFormer && this.isGenuine(batch));
    ensure('reads give what was written', known, () => `${log.dir} at ${batch.base}`);
  }

  protected isGenuine(batch: ModelBatch): boolean {
    return this.#genuine.has(batch.bytes.toString('latin1'));
  }

  /** What holds at any time between two operations. */
  check(log: Log): void {
    const { logStartOffset, logEndOffset, recoveryPoint } = log;
    ensure('the log ends where it should', logEndOffset === this.end, () => `${log.dir}: ${logEndOffset}, ${this.end}`);
    ensure('the log starts where it should', logStartOffset === this.start, () => `${log.dir}: ${logStartOffset}`);
    ensure('bounds are in order', recoveryPoint <= logEndOffset, () => `${log.dir}: ${recoveryPoint}, ${logEndOffset}`);
  }

  /** A read from `offset` on. */
  checkRead(log: Log, offset: number): void {
    const found = readBatches(log, offset);
    const expected = this.batches.filter((batch) => batch.last >= offset);
    ensure('reads are complete', found.length === expected.length, () => `${log.dir} from ${offset}`);
    for (const batch of found) this.#checkBatch(log, batch, false);
  }
}

function checkDense(log: Log, found: readonly ModelBatch[]): void {
  let next = found[0]?.base ?? log.logStartOffset;
  ensure(
    'offsets are dense',
    next <= log.logStartOffset,
    () => `${log.dir} begins at ${next}, not ${log.logStartOffset}`,
  );
  for (const batch of found) {
    ensure('offsets are dense', batch.base === next, () => `${log.dir}: ${next} expected, ${batch.base} found`);
    next = batch.last + 1;
  }
  ensure('offsets are dense', next === log.logEndOffset, () => `${log.dir}: ${next} of ${log.logEndOffset}`);
}
