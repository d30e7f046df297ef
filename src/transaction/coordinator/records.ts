/**
 * The records of `__transaction_state` and their binary form: key and value each begin with an int16, in the key the kind of
 * record, in the value its version.
 */
import { codec } from '../../../protocol/compile.ts';
import { toNumber } from '../../../protocol/int64.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import { Reader } from '../../../protocol/reader.ts';
import type { InputOf, Message } from '../../../protocol/schema.ts';
import { TransactionLogKey, TransactionLogValue } from '../../../protocol/transactions/transaction-log.ts';
import { Writer } from '../../../protocol/writer.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
import { PartitionSet } from './partition-set.ts';
import { NO_PRODUCER_EPOCH, type TransactionMetadata } from './transaction-metadata.ts';
import { stateId, stateOf } from './transaction-state.ts';

/** A null value deletes the transactional id. */
export interface TransactionRecord {
  readonly transactionalId: string;
  readonly value: TransactionMetadata | null;
}

const KEY = TransactionLogKey.apiKey as number;
const MAX_VALUE_VERSION = 1;

/** The version of values by the level of transaction.version: the flexible one from 1 on. */
export const valueVersion = (transactionVersion: number): number => (transactionVersion >= 1 ? 1 : 0);

export function encodeRecord({ transactionalId, value }: TransactionRecord, version: number): CoordinatorRecord {
  const key = prefixed(KEY, TransactionLogKey, 0, { transactionalId });
  return { key, value: value === null ? null : encodeValue(value, version) };
}

function encodeValue(metadata: TransactionMetadata, version: number): Buffer {
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
  const flexible: InputOf<typeof TransactionLogValue> = {
    previousProducerId: metadata.previousProducerId,
    nextProducerId: metadata.nextProducerId,
    clientTransactionVersion: metadata.clientTransactionVersion,
  };
  return prefixed(version, TransactionLogValue, version, version === 0 ? fields : { ...fields, ...flexible });
}

function prefixed(prefix: number, message: Message, version: number, fields: object): Buffer {
  const writer = new Writer(128);
  writer.int16(prefix);
  codec(message, version).write(writer, fields);
  return writer.toBuffer();
}

/** Reads a record back; null for a kind of a newer Kafka. Throws MalformedError. */
export function decodeRecord(key: Buffer, value: Buffer | null): TransactionRecord | null {
  const reader = new Reader(key);
  if (reader.int16() !== KEY) return null;
  const { transactionalId } = codec(TransactionLogKey, 0).read(reader);
  return { transactionalId, value: value === null ? null : decodeValue(value) };
}

function decodeValue(value: Buffer): TransactionMetadata {
  const reader = new Reader(value);
  const version = reader.int16();
  if (version < 0 || version > MAX_VALUE_VERSION) throw new MalformedError(`TransactionLogValue version ${version}`);
  const fields = codec(TransactionLogValue, version).read(reader);
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
