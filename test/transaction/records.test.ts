import { expect, it } from 'vitest';
import { PartitionSet } from '../../src/transaction/coordinator/partition-set.ts';
import { decodeRecord, encodeRecord, valueVersion } from '../../src/transaction/coordinator/records.ts';
import { newTransaction, type TransactionMetadata } from '../../src/transaction/coordinator/transaction-metadata.ts';

const ongoing: TransactionMetadata = {
  ...newTransaction(2n ** 60n, 1234, 1000),
  state: 'Ongoing',
  producerEpoch: 5,
  previousProducerId: 3,
  nextProducerId: 9,
  partitions: PartitionSet.of([
    { topic: 't', partition: 0 },
    { topic: 't', partition: 7 },
    { topic: 'u', partition: 1 },
  ]),
  startTimestampMs: 900,
  clientTransactionVersion: 2,
};

it.each([
  ['an ongoing transaction', ongoing],
  ['one that never was', { ...newTransaction(7, 60_000, 5), producerEpoch: 0 }],
])('keeps %s, as far as the version of the value goes', (_what, value) => {
  const { key, value: bytes } = encodeRecord({ transactionalId: 'id', value }, 1);
  expect(key.subarray(0, 2)).toEqual(Buffer.from([0, 0]));
  expect(decodeRecord(key, bytes)).toEqual({ transactionalId: 'id', value });
  const old = encodeRecord({ transactionalId: 'id', value }, 0);
  const lost = { previousProducerId: -1, nextProducerId: -1, clientTransactionVersion: 0 };
  expect(decodeRecord(old.key, old.value)).toEqual({ transactionalId: 'id', value: { ...value, ...lost } });
});

it('keeps deletions, and passes over kinds of records that it does not know', () => {
  const { key } = encodeRecord({ transactionalId: 'id', value: null }, 1);
  expect(decodeRecord(key, null)).toEqual({ transactionalId: 'id', value: null });
  expect(decodeRecord(Buffer.from([0, 5, 1]), Buffer.alloc(9))).toBeNull();
});

it('refuses values of a later version and states that do not exist', () => {
  const { key, value } = encodeRecord({ transactionalId: 'id', value: ongoing }, 0);
  const later = Buffer.from(value as Buffer);
  later.writeInt16BE(2, 0);
  expect(() => decodeRecord(key, later)).toThrow('version 2');
  const strange = Buffer.from(value as Buffer);
  strange.writeInt8(12, 2 + 8 + 2 + 4);
  expect(() => decodeRecord(key, strange)).toThrow('status 12');
});

it('writes the flexible version from transaction.version 1 on', () => {
  expect([0, 1, 2].map(valueVersion)).toEqual([0, 1, 1]);
});
