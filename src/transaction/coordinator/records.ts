/** The records of `__transaction_state`: what a transactional id is at. */
import { toNumber } from '../../../protocol/int64.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import { Reader } from '../../../protocol/reader.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import { TransactionLogKey, TransactionLogValue } from '../../../protocol/transactions/transaction-log.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
import { RecordForm } from '../../coordinator/record-form.ts';
import { PartitionSet } from './partition-set.ts';
import { NO_PRODUCER_EPOCH, type TransactionMetadata } from './transaction-metadata.ts';
import { stateId, stateOf } from './transaction-state.ts';

/** A null value deletes the transactional id. */
export interface TransactionRecord {
  readonly transactionalId: string;
  readonly value: TransactionMetadata | null;
}

/** In version 1, from transaction.version 1 on. */
const FORM = new RecordForm(TransactionLogKey, TransactionLogValue, 1);

/** The version of values by the level of transaction.version: the flexible one from 1 on. */
export const valueVersion = (transactionVersion: number): number => (transactionVersion >= 1 ? 1 : 0);

export function encodeRecord({ transactionalId, value }: TransactionRecord, version: number): CoordinatorRecord {
  return FORM.encode({ transactionalId }, value && fieldsOf(value, version), version);
}

function fieldsOf(metadata: TransactionMetadata, version: number): InputOf<typeof TransactionLogValue> {
  const fields: InputOf<typeof TransactionLogValue> = {
    producerId: metadata.producerId,
    producerEpoch: metadata.producerEpoch,
    transactionTimeoutMs: metadata.timeoutMs,
    transactionStatus: stateId(metadata.state),
    transactionPartitions:
      metadata.state === 'Empty'
        ? null
        : [...metadata.partitions.byTopic].map(([topic, partitions]) => ({ topic, partitionIds: [...partitions] })),
    transactionLastUpdateTimestampMs: metadata.lastUpdateTimestampMs,
    transactionStartTimestampMs: metadata.startTimestampMs,
  };
  if (version === 0) return fields;
  const { previousProducerId, nextProducerId, clientTransactionVersion } = metadata;
  return { ...fields, previousProducerId, nextProducerId, clientTransactionVersion };
}

/** Reads a record back; null for a kind of a newer Kafka. Throws MalformedError. */
export function decodeRecord(key: Buffer, value: Buffer | null): TransactionRecord | null {
  const reader = new Reader(key);
  if (reader.int16() !== FORM.kind) return null;
  const { transactionalId } = FORM.decodeKey(reader);
  return { transactionalId, value: value === null ? null : decodeValue(value) };
}

function decodeValue(value: Buffer): TransactionMetadata {
  const fields = FORM.decodeValue(value);
  const state = stateOf(fields.transactionStatus);
  if (state === undefined) throw new MalformedError(`transaction status ${fields.transactionStatus}`);
  const partitions = (fields.transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map((partition) => ({ topic, partition })),
  );
  return {
    producerId: fields.producerId,
    previousProducerId: fields.previousProducerId,
    nextProducerId: fields.nextProducerId,
    producerEpoch: fields.producerEpoch,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: fields.transactionTimeoutMs,
    state,
    partitions: PartitionSet.of(state === 'Empty' ? [] : partitions),
    startTimestampMs: toNumber(fields.transactionStartTimestampMs),
    lastUpdateTimestampMs: toNumber(fields.transactionLastUpdateTimestampMs),
    clientTransactionVersion: fields.clientTransactionVersion,
  };
}
