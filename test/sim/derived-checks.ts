/** What a log derives from its batches, against the batches: producers, transactions, leader epochs, index files. */
import type { Disk, Log } from '../../storage/index.ts';
import { ensure } from './invariant.ts';
import { type ModelBatch, parseBatches, readBatches } from './model-batch.ts';
import type { PartitionModel } from './partition-model.ts';

interface Producer {
  epoch: number;
  lastSequence: number;
  /** Of its newest records; -1: none in this epoch. */
  lastOffset: number;
  /** Of the open transaction; -1: none. */
  openSince: number;
}

interface Transactions {
  readonly producers: Map<number, Producer>;
  readonly aborted: { producerId: number; firstOffset: number }[];
}

function replay(batches: readonly ModelBatch[]): Transactions {
  const producers = new Map<number, Producer>();
  const aborted: { producerId: number; firstOffset: number }[] = [];
  for (const batch of batches) {
    if (batch.producerId < 0) continue;
    const before = producers.get(batch.producerId);
    const openSince = before?.openSince ?? -1;
    if (batch.marker === 'abort' && openSince >= 0) {
      aborted.push({ producerId: batch.producerId, firstOffset: openSince });
    }
    const last =
      batch.marker === null
        ? { lastSequence: batch.baseSequence + batch.last - batch.base, lastOffset: batch.last }
        : before?.epoch === batch.producerEpoch
          ? { lastSequence: before.lastSequence, lastOffset: before.lastOffset }
          : { lastSequence: -1, lastOffset: -1 };
    producers.set(batch.producerId, {
      epoch: batch.producerEpoch,
      ...last,
      openSince: batch.marker !== null ? -1 : batch.isTransactional && openSince < 0 ? batch.base : openSince,
    });
  }
  return { producers, aborted };
}

/** After a start: of what lay at `lostFrom` or above, a power cut may have taken anything. */
export function checkDerived(log: Log, model: PartitionModel, lostFrom: number): void {
  const expected = replay(model.batches);
  checkProducers(log, expected.producers, model, lostFrom);
  if (!model.hasFormer) checkTransactions(log, expected, model.hasGaps);
  checkOnce(log, model.batches);
  // What a compaction has removed may be counted to the epoch before.
  for (const batch of model.hasGaps ? readBatches(log, log.logStartOffset, true) : model.batches) {
    if (batch.base < Math.max(log.logStartOffset, model.rememberedFrom)) continue;
    const epoch = log.epochForOffset(batch.base);
    ensure('leader epochs agree', epoch === batch.epoch, () => `${log.dir} at ${batch.base}: ${epoch}, ${batch.epoch}`);
  }
}

/** Producers outlive their records, as in Kafka: of those that are deleted snapshots tell, as far as the recovery point. */
function checkProducers(
  log: Log,
  expected: ReadonlyMap<number, Producer>,
  model: PartitionModel,
  lostFrom: number,
): void {
  // A log that ends below its start is emptied, its producers with it, in Kafka as well (LogLoader.recoverLog).
  const isEmptied = lostFrom < log.logStartOffset && log.logStartOffset === log.logEndOffset;
  const found = new Map(log.producers().map((producer) => [producer.producerId, producer]));
  for (const id of found.keys()) {
    ensure('producers agree', expected.has(id) || model.hasFormer, () => `${log.dir}: ${id} is made up`);
  }
  for (const [id, { epoch, lastSequence, lastOffset }] of expected) {
    const producer = found.get(id);
    const isLost = lastOffset < log.logStartOffset && (lastOffset >= lostFrom || isEmptied);
    // A truncation that came undone has brought records back; of those below the log start nobody but the log itself knows.
    const isHidden = lastOffset < 0 && model.hasFormer && lostFrom < log.logStartOffset;
    if (isLost || isHidden) model.forgettable.add(id);
    const mayBeForgotten = model.forgettable.has(id);
    const same = producer?.producerEpoch === epoch && producer.lastSequence === lastSequence;
    ensure('producers agree', same || mayBeForgotten, () => {
      return `${log.dir}: ${id} has ${producer?.producerEpoch}/${producer?.lastSequence}, not ${epoch}/${lastSequence}`;
    });
  }
}

/** Of a transaction whose first records are deleted nobody can tell any more where it began. */
function checkTransactions(log: Log, { producers, aborted }: Transactions, isCompacted: boolean): void {
  const start = log.logStartOffset;
  const cut = new Set(aborted.filter((entry) => entry.firstOffset < start).map((entry) => entry.producerId));
  const text = (of: { producerId: number; firstOffset: number }[]): string =>
    of
      .filter((entry) => entry.firstOffset >= start && !cut.has(entry.producerId))
      .map((entry) => `${entry.producerId}@${entry.firstOffset}`)
      .join(' ');
  const found = text(log.abortedTransactions(start, log.logEndOffset));
  // Of a compacted log a reader of it is looked at instead (compacted-model.ts).
  ensure(
    'aborted transactions agree',
    isCompacted || found === text(aborted),
    () => `${log.dir}: ${found}, not ${text(aborted)}`,
  );
  const open = [...producers.values()].map(({ openSince }) => openSince).filter((offset) => offset >= 0);
  if (open.some((offset) => offset < start)) return;
  log.onHighWatermark(log.logEndOffset);
  const unstable = log.firstUnstableOffset;
  const expected = open.length === 0 ? null : Math.min(...open);
  ensure('open transactions agree', unstable === expected, () => `${log.dir}: ${unstable}, not ${expected}`);
}

/** No batch of an idempotent producer is in the log twice. */
function checkOnce(log: Log, batches: readonly ModelBatch[]): void {
  const seen = new Set<string>();
  for (const { producerId, producerEpoch, baseSequence, marker, base } of batches) {
    if (producerId < 0 || marker !== null) continue;
    const key = `${producerId} ${producerEpoch} ${baseSequence}`;
    ensure('nothing is doubled', !seen.has(key), () => `${log.dir} at ${base}: producer, epoch, sequence ${key}`);
    seen.add(key);
  }
}

/** The index files of a log that was closed: each entry names a batch and says what the batch says. */
export function checkIndexFiles(disk: Disk, dir: string): void {
  for (const name of disk.list(dir)) {
    if (!name.endsWith('.log')) continue;
    const stem = `${dir}/${name.slice(0, -4)}`;
    const base = Number(name.slice(0, -4));
    const positions = new Map<number, ModelBatch>();
    let position = 0;
    for (const batch of parseBatches(disk.readFile(`${stem}.log`) ?? Buffer.alloc(0))) {
      positions.set(position, batch);
      position += batch.bytes.length;
    }
    checkOffsetIndex(stem, base, positions, disk.readFile(`${stem}.index`) ?? Buffer.alloc(0));
    checkTimeIndex(stem, base, [...positions.values()], disk.readFile(`${stem}.timeindex`) ?? Buffer.alloc(0));
  }
}

function checkOffsetIndex(stem: string, base: number, positions: Map<number, ModelBatch>, index: Buffer): void {
  ensure('indexes agree', index.length % 8 === 0, () => `${stem}.index has ${index.length} bytes`);
  for (let at = 0; at < index.length; at += 8) {
    const batch = positions.get(index.readInt32BE(at + 4));
    ensure('indexes agree', batch?.last === base + index.readInt32BE(at), () => `${stem}.index at byte ${at}`);
  }
}

function checkTimeIndex(stem: string, base: number, batches: readonly ModelBatch[], index: Buffer): void {
  ensure('indexes agree', index.length % 12 === 0, () => `${stem}.timeindex has ${index.length} bytes`);
  const timestampOf = (batch: ModelBatch): number => Number(batch.bytes.readBigInt64BE(35));
  let before = -1;
  for (let at = 0; at < index.length; at += 12) {
    const timestamp = Number(index.readBigInt64BE(at));
    const batch = batches.find((candidate) => candidate.last === base + index.readInt32BE(at + 8));
    const agrees = batch !== undefined && timestampOf(batch) === timestamp && timestamp > before;
    ensure('indexes agree', agrees, () => `${stem}.timeindex at byte ${at}: ${timestamp} for ${batch?.base}`);
    before = timestamp;
  }
  const largest = Math.max(-1, ...batches.map(timestampOf));
  ensure('indexes agree', before === largest, () => `${stem}.timeindex ends with ${before}, not ${largest}`);
}
