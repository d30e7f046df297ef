/**
 * What the log of a compacted partition has to be: what was appended, less what a compaction may take. Which records are gone depends on
 * when compactions ran and how far they got; that each key keeps its newest value does not.
 */
import { readRecords } from '../../protocol/records/decode.ts';
import type { Log } from '../../storage/index.ts';
import { ensure } from './invariant.ts';
import { type ModelBatch, readBatches } from './model-batch.ts';
import { PartitionModel, type RestartBounds } from './partition-model.ts';

interface KeyedRecord {
  readonly offset: number;
  readonly key: string;
  /** As it was produced, to compare with. */
  readonly content: string;
  readonly isTombstone: boolean;
  readonly timestamp: number;
}

/** Of a batch as it was appended, or as a compaction has left it. */
function recordsOf({ bytes }: ModelBatch): KeyedRecord[] {
  return readRecords(bytes, 0).map(({ offset, key, value, timestamp }) => ({
    offset,
    key: String(key),
    content: `${key?.toString('hex')}=${value?.toString('hex')}@${timestamp}`,
    isTombstone: value === null,
    timestamp,
  }));
}

export class CompactedModel extends PartitionModel {
  /** No compaction has ever touched anything from here on. */
  reach = 0;
  /** All below outlasts a power cut, though a process that was killed may not have written that down; compactions go no further. */
  #durableReach = 0;
  /** As a compaction has last seen it; nothing below is ever cut off. */
  #highWatermark = 0;
  readonly #deleteRetentionMs: number;
  readonly #nowMs: () => number;

  constructor(deleteRetentionMs: number, nowMs: () => number) {
    super();
    this.hasGaps = true;
    this.#deleteRetentionMs = deleteRetentionMs;
    this.#nowMs = nowMs;
  }

  /** A compaction looks at the log: it may touch inactive segments. */
  compacting(log: Log): void {
    this.reach = Math.max(this.reach, log.segments[log.segments.length - 1].baseOffset);
    this.#highWatermark = log.logEndOffset;
  }

  /** To be called before the log can be gone. */
  noteDurable(log: Log): void {
    this.#durableReach = Math.max(this.#durableReach, Math.min(this.reach, log.recoveryPoint));
  }

  override boundary(pick: (bound: number) => number): number {
    return Math.max(super.boundary(pick), Math.min(this.#highWatermark, this.end));
  }

  override truncated(offset: number): void {
    this.#drop(({ last }) => last >= offset);
    super.truncated(offset);
  }

  /** Batches are not in the log any more. A compaction may have taken their producer's earlier ones for superseded, as in Kafka. */
  #drop(isGone: (batch: ModelBatch) => boolean): void {
    const gone = new Set(this.batches.filter(isGone).map(({ producerId }) => producerId));
    this.batches = this.batches.filter((batch) => !isGone(batch));
    for (const { producerId, base } of this.batches) {
      if (base < this.reach && gone.has(producerId)) this.forgettable.add(producerId);
    }
  }

  override checkRead(log: Log, offset: number): void {
    const found = readBatches(log, offset, true);
    this.#checkRemnants(log, found, () => false);
    this.#checkKept(log, found, Math.max(offset, log.logStartOffset));
  }

  protected override checkFound(log: Log, found: readonly ModelBatch[], bounds: RestartBounds): void {
    const durableEnd = Math.max(bounds.durableEnd, this.#durableReach);
    this.reach = Math.min(this.reach, log.logEndOffset, durableEnd);
    this.#durableReach = Math.min(this.#durableReach, this.reach);
    const there = new Set(found.map(({ base }) => base));
    // Where offsets may be missing nobody can tell a gap that a power cut has left from one of a compaction.
    const from = Math.max(durableEnd, log.logStartOffset);
    this.#drop(({ base, last }) => last >= log.logEndOffset || (last >= from && !there.has(base)));
    this.#checkRemnants(log, found, bounds.mayBeFormer);
    this.#checkKept(log, found, log.logStartOffset);
    checkConsumer(log, found, this.batches);
  }

  /** Each batch that is there is one that was appended, or what is left of it, in its place. */
  #checkRemnants(log: Log, found: readonly ModelBatch[], mayBeFormer: (batch: ModelBatch) => boolean): void {
    let next = 0;
    for (const batch of found) {
      ensure('offsets rise', batch.base >= next && batch.last < log.logEndOffset, () => `${log.dir} at ${batch.base}`);
      next = batch.last + 1;
      const original = this.batches.find(({ base }) => base === batch.base);
      if (original !== undefined && isRemnant(batch, original, this.reach)) continue;
      const isFormer = mayBeFormer(batch) && this.isGenuine(batch);
      ensure('reads give what was written', isFormer, () => `${log.dir} at ${batch.base}`);
      this.batches = [...this.batches.filter(({ base, last }) => last < batch.base || base > batch.last), batch];
      this.batches.sort((a, b) => a.base - b.base);
    }
  }

  /** Records at or above `from` that are missing are of no use any more. */
  #checkKept(log: Log, found: readonly ModelBatch[], from: number): void {
    const kept = new Set(found.flatMap((batch) => recordsOf(batch).map(({ offset }) => offset)));
    const aborted = abortedBatches(this.batches);
    const newest = new Map<string, number>();
    const data = this.batches.filter((batch) => batch.marker === null && !aborted.has(batch));
    for (const record of data.flatMap(recordsOf)) if (record.offset < this.reach) newest.set(record.key, record.offset);
    for (const batch of this.batches) {
      if (batch.last < from || (batch.last < this.reach && (batch.marker !== null || aborted.has(batch)))) continue;
      for (const record of batch.marker === null ? recordsOf(batch) : []) {
        if (record.offset < from || kept.has(record.offset)) continue;
        const isNewest = record.offset >= this.reach || newest.get(record.key) === record.offset;
        const isOver = record.isTombstone && record.timestamp + this.#deleteRetentionMs <= this.#nowMs();
        const mayGo = record.offset < this.reach && (!isNewest || isOver);
        ensure('the newest of a key stays', mayGo, () => {
          return `${log.dir}: ${record.key} at ${record.offset}, compacted below ${this.reach}, end ${this.end}`;
        });
      }
    }
  }
}

/** Whether `batch` is `original` less some of its records. */
function isRemnant(batch: ModelBatch, original: ModelBatch, reach: number): boolean {
  if (batch.bytes.equals(original.bytes)) return true;
  const same =
    batch.base < reach &&
    batch.last === original.last &&
    batch.epoch === original.epoch &&
    batch.producerId === original.producerId &&
    batch.producerEpoch === original.producerEpoch &&
    batch.baseSequence === original.baseSequence &&
    batch.isTransactional === original.isTransactional;
  const contents = new Map(recordsOf(original).map(({ offset, content }) => [offset, content]));
  return same && recordsOf(batch).every(({ offset, content }) => contents.get(offset) === content);
}

/** Data batches whose transaction was aborted. */
function abortedBatches(batches: readonly ModelBatch[]): Set<ModelBatch> {
  const aborted = new Set<ModelBatch>();
  const open = new Map<number, ModelBatch[]>();
  for (const batch of batches) {
    if (batch.marker === 'abort') for (const data of open.get(batch.producerId) ?? []) aborted.add(data);
    if (batch.marker !== null) open.delete(batch.producerId);
    else if (batch.isTransactional) open.set(batch.producerId, [...(open.get(batch.producerId) ?? []), batch]);
  }
  return aborted;
}

/** A read_committed consumer leaves out the records of aborted transactions, and only those. */
function checkConsumer(log: Log, found: readonly ModelBatch[], originals: readonly ModelBatch[]): void {
  const start = log.logStartOffset;
  const ahead = [...log.abortedTransactions(start, log.logEndOffset)].sort((a, b) => a.firstOffset - b.firstOffset);
  const aborted = abortedBatches(originals);
  const isAborted = new Set([...aborted].map(({ base }) => base));
  const skipping = new Set<number>();
  for (const batch of found) {
    for (; ahead.length > 0 && ahead[0].firstOffset <= batch.last; ahead.shift()) skipping.add(ahead[0].producerId);
    if (batch.marker === 'abort') skipping.delete(batch.producerId);
    if (!batch.isTransactional || recordsOf(batch).length === 0) continue;
    const isSkipped = skipping.has(batch.producerId);
    ensure(
      'aborted records stay aborted',
      isSkipped === isAborted.has(batch.base),
      () => `${log.dir} at ${batch.base}`,
    );
  }
}
