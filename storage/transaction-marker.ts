/** The control batch that ends a transaction in a partition (KIP-98). */
import { readControlRecord } from '../protocol/records/control.ts';
import { readRecords } from '../protocol/records/decode.ts';
import { LogError } from './log-error.ts';

export interface TransactionMarker {
  aborted: boolean;
  coordinatorEpoch: number;
  timestampMs: number;
}

/** The marker in the control batch at `at`. Null when the batch is empty: compaction has removed the whole transaction. */
export function readTransactionMarker(buf: Buffer, at: number): TransactionMarker | null {
  const [record] = readRecords(buf, at);
  if (record === undefined) return null;
  const control = readControlRecord(record);
  if (control.type !== 'commit' && control.type !== 'abort') {
    throw new LogError('CORRUPT_MESSAGE', `a control record of type ${control.type} with a producer id`);
  }
  const { coordinatorEpoch } = control.value;
  return { aborted: control.type === 'abort', coordinatorEpoch, timestampMs: record.timestamp };
}
