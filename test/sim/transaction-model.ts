/** What the clients of a simulation know of their transactions, and what must therefore be seen in the logs. */
import * as batch from '../../protocol/records/batch.ts';
import { controlType } from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import type { Partition } from '../../src/partition/partition.ts';
import { ensure } from './invariant.ts';

/** A transaction as its producer knows it. */
export interface ModelTransaction {
  readonly name: string;
  readonly transactionalId: string;
  /** Writes that were answered. */
  readonly written: { readonly partition: number; readonly value: string; readonly offset: number }[];
  /** The offset that its group is to have, where the commit of it was answered. */
  offset: number | null;
  /** A commit was sent. */
  commitSent: boolean;
  /** The end that was answered. */
  ended: 'commit' | 'abort' | null;
}

export class TransactionModel {
  readonly transactions = new Map<string, ModelTransaction>();
  private readonly stable = new Map<number, number>();
  private readonly groupOffsets = new Map<string, number>();
  private count = 0;

  begin(transactionalId: string): ModelTransaction {
    const name = `T${this.count++}`;
    const begun = { name, transactionalId, written: [], offset: null, commitSent: false, ended: null };
    this.transactions.set(name, begun);
    return begun;
  }

  /** Looks at all partitions as a consumer that reads committed sees them. */
  check(partitions: readonly Partition[]): void {
    const seen = partitions.map(readCommitted);
    for (const [index, partition] of partitions.entries()) this.checkStable(index, partition);
    for (const transaction of this.transactions.values()) checkWhole(transaction, partitions, seen);
  }

  private checkStable(index: number, { lastStableOffset, highWatermark }: Partition): void {
    const before = this.stable.get(index) ?? 0;
    ensure(
      'the last stable offset never falls',
      lastStableOffset >= before,
      () => `${index}: ${lastStableOffset} < ${before}`,
    );
    ensure('what is stable is committed', lastStableOffset <= highWatermark, () => `${index}: ${lastStableOffset}`);
    this.stable.set(index, lastStableOffset);
  }

  /** Of an offset that a group was found to have, -1 where it has none. */
  checkOffset(transactionalId: string, found: number): void {
    const before = this.groupOffsets.get(transactionalId) ?? -1;
    ensure('a committed offset never goes back', found >= before, () => `${transactionalId}: ${found} after ${before}`);
    this.groupOffsets.set(transactionalId, found);
    for (const { name, transactionalId: id, offset, commitSent, ended } of this.transactions.values()) {
      if (id !== transactionalId || offset === null) continue;
      const text = () => `${name}: ${offset}, found ${found}, ended ${ended}`;
      if (found === offset) ensure('only committed offsets are seen', commitSent && ended !== 'abort', text);
    }
  }

  /** Everything has come to its end: nothing is open, and nothing that was acknowledged is missing. */
  checkFinal(partitions: readonly Partition[], offsets: ReadonlyMap<string, number>): void {
    this.check(partitions);
    for (const [index, { lastStableOffset, highWatermark }] of partitions.entries()) {
      const text = () => `${index}: ${lastStableOffset} of ${highWatermark}`;
      ensure('no transaction hangs', lastStableOffset === highWatermark, text);
    }
    const seen = partitions.map(readCommitted);
    for (const transaction of this.transactions.values()) {
      const { name, transactionalId, written, offset, ended } = transaction;
      if (offset === null) continue;
      const found = offsets.get(transactionalId) ?? -1;
      if (ended === 'commit')
        ensure('a committed offset is there', found >= offset, () => `${name}: ${offset}, ${found}`);
      if (written.length === 0) continue;
      // all or nothing: what became of the records became of the offset
      const isSeen = seen[written[0].partition].has(written[0].value);
      if (isSeen) ensure('offsets go with the records', found >= offset, () => `${name}: ${offset}, found ${found}`);
      else
        ensure(
          'offsets go with the records',
          found !== offset,
          () => `${name} is aborted, its offset ${offset} is not`,
        );
    }
  }
}

function checkWhole(
  transaction: ModelTransaction,
  partitions: readonly Partition[],
  seen: readonly Set<string>[],
): void {
  const { name, written, commitSent, ended } = transaction;
  const isSeen = written.some(({ partition, value }) => seen[partition].has(value));
  if (isSeen)
    ensure('only what was to be committed is seen', commitSent && ended !== 'abort', () => `${name}: ${ended}`);
  if (!isSeen && ended !== 'commit') return;
  for (const { partition, value, offset } of written) {
    if (offset >= partitions[partition].lastStableOffset) continue;
    ensure(
      'a transaction is all or nothing',
      seen[partition].has(value),
      () => `${name}: ${value} of ${partition} is missing`,
    );
  }
}

/** The values that a read_committed consumer gets, as clients of the protocol find them out. */
function readCommitted(partition: Partition): Set<string> {
  const { log, lastStableOffset: upTo, logStartOffset } = partition;
  const aborted = log.abortedTransactions(logStartOffset, upTo).sort((a, b) => a.firstOffset - b.firstOffset);
  const values = new Set<string>();
  const hidden = new Set<number>();
  for (let offset = logStartOffset; offset < upTo; ) {
    const { records } = log.read(offset, 1 << 20, { upTo, minOneBatch: true });
    if (records.length === 0) break;
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
      offset = batch.lastOffset(records, at) + 1;
      const producerId = batch.producerId(records, at);
      while (aborted.length > 0 && aborted[0].firstOffset <= batch.lastOffset(records, at)) {
        hidden.add((aborted.shift() as (typeof aborted)[number]).producerId);
      }
      const isControl = (batch.attributes(records, at) & batch.CONTROL_BIT) !== 0;
      for (const { key, value } of readRecords(records, at)) {
        if (isControl && controlType(key) === 0) hidden.delete(producerId);
        else if (!isControl && !hidden.has(producerId)) values.add(String(value));
      }
    }
  }
  return values;
}
