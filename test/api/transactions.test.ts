import { afterAll, beforeAll, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import type { Int64 } from '../../protocol/int64.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { Odradek } from '../../src/index.ts';
import { WireClient } from '../support/wire-client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const Fetch = { request: FetchRequest, response: FetchResponse };
const FindCoordinator = { request: FindCoordinatorRequest, response: FindCoordinatorResponse };
const InitProducerId = { request: InitProducerIdRequest, response: InitProducerIdResponse };
const EndTxn = { request: EndTxnRequest, response: EndTxnResponse };

let broker: Odradek;
let client: WireClient;
let ids = 0;

beforeAll(async () => {
  broker = await Odradek.start({ inMemory: true });
  client = await WireClient.connect(broker.bootstrapServers);
});
afterAll(async () => {
  await client.close();
  await broker.stop();
});

interface Producer {
  transactionalId: string;
  producerId: Int64;
  producerEpoch: number;
}

/** A topic, and a producer with a transactional id. */
async function start(): Promise<{ topic: string; producer: Producer }> {
  const topic = `t${ids++}`;
  const transactionalId = `id${ids}`;
  await broker.createTopics([{ name: topic, partitions: 2 }]);
  await client.request(FindCoordinator, 3, { key: transactionalId, keyType: 1 });
  const timeout = { transactionTimeoutMs: 60_000 };
  const { producerId, producerEpoch } = await client.request(InitProducerId, 5, { transactionalId, ...timeout });
  return { topic, producer: { transactionalId, producerId, producerEpoch } };
}

function batch({ producerId, producerEpoch }: Producer, sequence: number, transactional = true): Buffer {
  const header = { producerId, producerEpoch, baseSequence: sequence, transactional };
  return encodeBatch([{ value: Buffer.alloc(100), timestamp: Date.now() }], header);
}

async function produce(topic: string, transactionalId: string | null, ...partitions: Buffer[]) {
  const partitionData = partitions.map((records, index) => ({ index, records }));
  const body = { transactionalId, acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData }] };
  const { responses } = await client.request(Produce, 12, body);
  return responses[0].partitionResponses.map(({ errorCode }) => errorCode);
}

async function end(producer: Producer, committed: boolean): Promise<Producer> {
  const { transactionalId, producerId, producerEpoch } = producer;
  const ended = await client.request(EndTxn, 5, { transactionalId, producerId, producerEpoch, committed });
  expect(ended.errorCode).toBe(0);
  return { ...producer, producerId: ended.producerId, producerEpoch: ended.producerEpoch };
}

async function fetch(topic: string, fetchOffset: number, isolationLevel: number, partitionMaxBytes: number) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes, currentLeaderEpoch: -1 }];
  const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel, topics: [{ topic, partitions }] };
  return (await client.request(Fetch, 12, body)).responses[0].partitions[0];
}

it('tells a fetch of the aborted transactions in what it returns, and of no others', async () => {
  const { topic, producer } = await start();
  let now = producer;
  for (let i = 0; i < 3; i++) {
    expect(await produce(topic, now.transactionalId, batch(now, 0))).toEqual([0]);
    now = await end(now, false);
  }
  const first = await fetch(topic, 0, 1, 100);
  expect(first.abortedTransactions).toEqual([{ producerId: producer.producerId, firstOffset: 0 }]);
  const middle = await fetch(topic, 2, 1, 300);
  expect(middle.abortedTransactions?.map(({ firstOffset }) => firstOffset)).toEqual([2]);
  const all = await fetch(topic, 0, 1, 1 << 20);
  expect(all.abortedTransactions?.map(({ firstOffset }) => firstOffset)).toEqual([0, 2, 4]);
  expect(all).toMatchObject({ highWatermark: 6, lastStableOffset: 6 });
  expect((await fetch(topic, 0, 0, 1 << 20)).abortedTransactions).toBeNull();
  expect((await fetch(topic, 6, 1, 1 << 20)).abortedTransactions).toEqual([]);
});

it('refuses a request whose transaction is not one', async () => {
  const { topic, producer } = await start();
  const other = { ...producer, producerId: 4242 };
  const { TRANSACTIONAL_ID_AUTHORIZATION_FAILED, INVALID_PRODUCER_ID_MAPPING } = ErrorCode;
  expect(await produce(topic, null, batch(producer, 0))).toEqual([TRANSACTIONAL_ID_AUTHORIZATION_FAILED]);
  const both = await produce(topic, producer.transactionalId, batch(producer, 0), batch(other, 0));
  expect(both).toEqual([INVALID_PRODUCER_ID_MAPPING, INVALID_PRODUCER_ID_MAPPING]);
  // what is not of the transaction may come with it
  expect(await produce(topic, producer.transactionalId, batch(producer, 0), batch(other, 0, false))).toEqual([0, 0]);
  await end(producer, true);
});
