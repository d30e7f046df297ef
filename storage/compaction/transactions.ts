/**
 * Which transactions a compaction is in the middle of, as it walks through a log (Kafka: CleanedTransactionMetadata): data of aborted ones
 * goes, and a marker may go when nothing of its transaction is left before it.
 */
import { attributes, lastOffset, producerId, recordCount, TRANSACTIONAL_BIT } from '../../protocol/records/batch.ts';
import { ControlRecordType, controlType } from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import type { AbortedTransactionEntry, TransactionIndex } from '../transaction-index.ts';

interface Aborted {
  readonly entry: AbortedTransactionEntry;
  /** A batch of it has been met, so that its marker has to stay. */
  hasBatches: boolean;
}

export class CleanedTransactions {
  /** Aborted transactions that begin further on, by first offset, the last one first. */
  #ahead: AbortedTransactionEntry[] = [];
  /** By producer id. */
  readonly #aborted = new Map<number, Aborted>();
  readonly #committed = new Set<number>();
  /** Of the segment that is being written: gets the aborted transactions whose marker stays. */
  index: TransactionIndex | null = null;

  /** Makes known which transactions of the next stretch of log were aborted. */
  add(entries: readonly AbortedTransactionEntry[]): void {
    if (entries.length === 0) return;
    this.#ahead = [...this.#ahead, ...entries].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** A data batch comes by; true when it belongs to an aborted transaction. */
  onBatch(buf: Buffer, at: number): boolean {
    this.#beginUpTo(lastOffset(buf, at));
    if ((attributes(buf, at) & TRANSACTIONAL_BIT) === 0) return false;
    const id = producerId(buf, at);
    const aborted = this.#aborted.get(id);
    if (aborted === undefined) {
      this.#committed.add(id);
      return false;
    }
    aborted.hasBatches = true;
    return true;
  }

  /** A control batch comes by; true when nothing of its transaction is left. */
  onControlBatch(buf: Buffer, at: number): boolean {
    this.#beginUpTo(lastOffset(buf, at));
    // One that was emptied before.
    if (recordCount(buf, at) === 0) return true;
    const id = producerId(buf, at);
    switch (controlType(readRecords(buf, at)[0].key)) {
      case ControlRecordType.ABORT:
        return this.#abortMarker(id);
      case ControlRecordType.COMMIT:
        return !this.#committed.delete(id);
      default:
        return false;
    }
  }

  #abortMarker(id: number): boolean {
    const aborted = this.#aborted.get(id);
    this.#aborted.delete(id);
    if (aborted === undefined || !aborted.hasBatches) return true;
    this.index?.append(aborted.entry);
    return false;
  }

  #beginUpTo(offset: number): void {
    const ahead = this.#ahead;
    while (ahead.length > 0 && ahead[ahead.length - 1].firstOffset <= offset) {
      const entry = ahead.pop() as AbortedTransactionEntry;
      if (!this.#aborted.has(entry.producerId)) this.#aborted.set(entry.producerId, { entry, hasBatches: false });
    }
  }
}
