import { KafkaError } from '../../protocol/errors.ts';
import * as batch from '../../protocol/records/batch.ts';
import { controlType, transactionMarkerBatch } from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { TransactionChecks } from '../../storage/index.ts';
import type { CoordinatorLog, CoordinatorRecord, EndMarker, InTransaction, StoredRecord } from '../coordinator/log.ts';
import { AppendError } from '../partition/append-result.ts';
import type { Partition } from '../partition/partition.ts';
import type { Partitions } from '../partition/partitions.ts';

/** Read in pieces of this size while a coordinator loads (Kafka's offsets.load.buffer.size). */
const LOAD_BYTES = 5 * 1024 * 1024;

/** The coordinators' port to an internal topic, over this node's partitions of it. */
export class InternalTopicLog implements CoordinatorLog {
  private readonly topic: string;
  private readonly partitions: Partitions;

  constructor(topic: string, partitions: Partitions) {
    this.topic = topic;
    this.partitions = partitions;
  }

  append(
    index: number,
    records: readonly CoordinatorRecord[],
    nowMs: number,
    within?: InTransaction,
  ): number | Promise<number> {
    const inputs = records.map(({ key, value }) => ({ key, value, timestamp: nowMs }));
    if (within === undefined) return this.write(index, encodeBatch(inputs));
    const { producerId, producerEpoch, verification } = within;
    const batch = encodeBatch(inputs, { producerId, producerEpoch, transactional: true });
    return this.write(index, batch, { verification });
  }

  appendMarker(index: number, marker: EndMarker, nowMs: number): number | Promise<number> {
    const { producerId, producerEpoch, result, coordinatorEpoch, transactionVersion } = marker;
    const commit = result === 'commit';
    const fields = { commit, coordinatorEpoch, producerId, producerEpoch, timestampMs: nowMs };
    return this.write(index, transactionMarkerBatch(fields), { transactionVersion });
  }

  private write(index: number, batch: Buffer, checks?: TransactionChecks): number | Promise<number> {
    const partition = this.partition(index);
    try {
      const endOffset = partition.appendAsCoordinator(batch, checks).lastOffset + 1;
      const committed = partition.whenCommitted(endOffset);
      if (committed === null) return endOffset;
      return committed.then(
        () => endOffset,
        (error) => {
          throw asKafkaError(error);
        },
      );
    } catch (error) {
      throw asKafkaError(error);
    }
  }

  async read(index: number, each: (record: StoredRecord) => void): Promise<void> {
    const partition = this.partition(index);
    const upTo = partition.log.logEndOffset;
    // What a process that was killed has left counts with the flush that follows, and some of it was answered.
    await partition.whenCommitted(upTo);
    for (let offset = partition.logStartOffset; offset < upTo; ) {
      const { records } = partition.log.read(offset, LOAD_BYTES, { upTo, minOneBatch: true });
      if (records.length === 0) break;
      offset = readBatches(records, each);
      // other partitions are served while a large one loads
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private partition(index: number): Partition {
    const partition = this.partitions.get(this.topic, index);
    if (partition === undefined) throw new KafkaError('NOT_COORDINATOR', `${this.topic}-${index} is not on this node`);
    return partition;
  }
}

/** Hands on each record of the whole batches in `buf`; returns the offset after the last one. */
function readBatches(buf: Buffer, each: (record: StoredRecord) => void): number {
  let next = 0;
  for (let at = 0; at < buf.length; at += batch.sizeBytes(buf, at)) {
    const isControl = (batch.attributes(buf, at) & batch.CONTROL_BIT) !== 0;
    const producerId = batch.producerId(buf, at);
    const producerEpoch = batch.producerEpoch(buf, at);
    for (const { offset, key, value, timestamp } of readRecords(buf, at)) {
      const marker = isControl ? markerOf(key) : null;
      each({ offset, key, value, timestampMs: timestamp, producerId, producerEpoch, marker });
    }
    next = batch.lastOffset(buf, at) + 1;
  }
  return next;
}

function markerOf(key: Buffer | null): 'commit' | 'abort' | null {
  const type = controlType(key);
  return type === 0 ? 'abort' : type === 1 ? 'commit' : null;
}

const asKafkaError = (error: unknown): unknown =>
  error instanceof AppendError ? new KafkaError(error.errorName, error.message) : error;
