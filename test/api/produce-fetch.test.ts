import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import { CompressionType } from '../../protocol/records/batch.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { Odradek } from '../../src/index.ts';
import { WireClient } from '../support/wire-client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const Fetch = { request: FetchRequest, response: FetchResponse };
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };
const Metadata = { request: MetadataRequest, response: MetadataResponse };

let broker: Odradek;
let client: WireClient;

beforeAll(async () => {
  broker = await Odradek.start({ inMemory: true });
  client = await WireClient.connect(broker.bootstrapServers);
});
afterAll(async () => {
  await client.close();
  await broker.stop();
});

let topics = 0;
async function newTopic(configs: Record<string, string> = {}, partitions = 1): Promise<string> {
  const name = `topic-${topics++}`;
  await broker.createTopics([{ name, partitions, configs }]);
  return name;
}

const now = Date.now();
const batchOf = (...values: string[]) =>
  encodeBatch(values.map((value) => ({ value: Buffer.from(value), timestamp: now })));

async function produce(
  topic: string,
  records: Buffer | null,
  options: { version?: number; acks?: number; index?: number } = {},
) {
  const { version = 9, acks = -1, index = 0 } = options;
  const topicData = [{ name: topic, partitionData: [{ index, records }] }];
  const response = await client.request(Produce, version, { acks, timeoutMs: 1000, topicData });
  return response.responses[0].partitionResponses[0];
}

type Wanted = { fetchOffset: number; partitionMaxBytes?: number; partition?: number; currentLeaderEpoch?: number };
function fetchBody(
  topic: string,
  wanted: Wanted[],
  rest: InputOf<typeof FetchRequest> = {},
): InputOf<typeof FetchRequest> {
  const partitions = wanted.map((w) => ({ partition: 0, partitionMaxBytes: 1 << 20, ...w }));
  return { maxWaitMs: 0, minBytes: 1, sessionEpoch: -1, topics: [{ topic, partitions }], ...rest };
}

async function fetchOne(topic: string, fetchOffset: number, rest: InputOf<typeof FetchRequest> = {}) {
  const response = await client.request(Fetch, 11, fetchBody(topic, [{ fetchOffset }], rest));
  return response.responses[0].partitions[0];
}

function valuesOf(records: Buffer | null): (string | undefined)[] {
  const values: (string | undefined)[] = [];
  const buf = records as Buffer;
  for (let at = 0; at < buf.length; at += buf.readInt32BE(at + 8) + 12) {
    values.push(...readRecords(buf, at).map((r) => r.value?.toString()));
  }
  return values;
}

describe('produce', () => {
  it('gives dense offsets and the records come back', async () => {
    const topic = await newTopic();
    expect(await produce(topic, batchOf('a', 'b'))).toMatchObject({ errorCode: 0, baseOffset: 0, logStartOffset: 0 });
    expect(await produce(topic, batchOf('c'))).toMatchObject({ errorCode: 0, baseOffset: 2 });
    const fetched = await fetchOne(topic, 0);
    expect(fetched).toMatchObject({ errorCode: 0, highWatermark: 3, lastStableOffset: 3, logStartOffset: 0 });
    expect(valuesOf(fetched.records)).toEqual(['a', 'b', 'c']);
  });

  it.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('is served in version %i', async (version) => {
    const topic = await newTopic();
    expect(await produce(topic, batchOf('x'), { version })).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  it.each(Object.entries(CompressionType))('keeps %s batches byte for byte', async (_name, compression) => {
    const topic = await newTopic();
    const records = [1, 2, 3].map((i) => ({ value: Buffer.from(`value ${i}`.repeat(20)), timestamp: now }));
    const sent = encodeBatch(records, { compression });
    expect(await produce(topic, Buffer.from(sent))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    const { records: got } = await fetchOne(topic, 0);
    expect(got?.subarray(17)).toEqual(sent.subarray(17));
  });

  it.each([
    ['a wrong CRC', () => flipped(batchOf('x'), 80), ErrorCode.CORRUPT_MESSAGE],
    ['no records', () => null, ErrorCode.INVALID_RECORD],
    ['half a batch', () => batchOf('x').subarray(0, 40), ErrorCode.INVALID_RECORD],
    ['two batches', () => Buffer.concat([batchOf('x'), batchOf('y')]), ErrorCode.INVALID_RECORD],
  ])('refuses %s and appends nothing', async (_what, make, errorCode) => {
    const topic = await newTopic();
    expect(await produce(topic, make())).toMatchObject({ errorCode, baseOffset: -1 });
    expect(await fetchOne(topic, 0)).toMatchObject({ highWatermark: 0 });
  });

  it('answers each partition of a request for itself', async () => {
    const topic = await newTopic({}, 2);
    const partitionData = [0, 7, 1].map((index) => ({ index, records: batchOf('x') }));
    const response = await client.request(Produce, 9, {
      acks: 1,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData }],
    });
    expect(response.responses[0].partitionResponses.map((p) => p.errorCode)).toEqual([
      0,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      0,
    ]);
  });

  it('holds max.message.bytes and refuses acks that do not exist', async () => {
    const topic = await newTopic({ 'max.message.bytes': '1000' });
    expect(await produce(topic, batchOf('x'.repeat(2000)))).toMatchObject({ errorCode: ErrorCode.MESSAGE_TOO_LARGE });
    expect(await produce(topic, batchOf('x'), { acks: 2 })).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUIRED_ACKS,
    });
  });

  it('under flush.messages acknowledges and shows what is flushed, from many producers at once', async () => {
    const topic = await newTopic({ 'flush.messages': '1' }, 2);
    const clients = await Promise.all(Array.from({ length: 8 }, () => WireClient.connect(broker.bootstrapServers)));
    const produceAll = async (from: WireClient) => {
      const offsets: number[] = [];
      for (let i = 0; i < 5; i++) {
        const partitionData = [0, 1].map((index) => ({ index, records: batchOf('x') }));
        const topicData = [{ name: topic, partitionData }];
        const { responses } = await from.request(Produce, 9, { acks: -1, timeoutMs: 1000, topicData });
        for (const p of responses[0].partitionResponses) {
          expect(p.errorCode).toBe(0);
          if (p.index === 0) offsets.push(Number(p.baseOffset));
        }
      }
      return offsets;
    };
    const offsets = (await Promise.all(clients.map(produceAll))).flat();
    expect(offsets.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(valuesOf((await fetchOne(topic, 0)).records)).toHaveLength(40);
    await Promise.all(clients.map((c) => c.close()));
  });

  it('names the records at fault: no key in a compacted topic, a timestamp out of range', async () => {
    const compacted = await newTopic({ 'cleanup.policy': 'compact' });
    const keyless = encodeBatch([
      { key: Buffer.from('k'), value: null, timestamp: now },
      { value: Buffer.from('v'), timestamp: now },
    ]);
    const refused = await produce(compacted, keyless);
    expect(refused.errorCode).toBe(ErrorCode.INVALID_RECORD);
    expect(refused.recordErrors.map((r) => r.batchIndex)).toEqual([1]);
    const topic = await newTopic();
    const future = encodeBatch([{ value: Buffer.from('v'), timestamp: now + 7_200_000 }]);
    expect(await produce(topic, future)).toMatchObject({ errorCode: ErrorCode.INVALID_TIMESTAMP });
  });

  it('stamps LogAppendTime', async () => {
    const topic = await newTopic({ 'message.timestamp.type': 'LogAppendTime' });
    const { logAppendTimeMs } = await produce(topic, encodeBatch([{ value: Buffer.from('v'), timestamp: 1 }]));
    expect(Number(logAppendTimeMs)).toBeGreaterThanOrEqual(now);
    const { records } = await fetchOne(topic, 0);
    expect(readRecords(records as Buffer)[0].timestamp).toBe(Number(logAppendTimeMs));
  });

  it("applies the topic's compression.type", async () => {
    const topic = await newTopic({ 'compression.type': 'gzip' });
    await produce(topic, batchOf('a'.repeat(500), 'b'));
    const { records } = await fetchOne(topic, 0);
    expect((records as Buffer).readInt16BE(21) & 7).toBe(CompressionType.GZIP);
    expect(valuesOf(records)).toEqual(['a'.repeat(500), 'b']);
  });

  it('answers a repeated idempotent batch with its first offset and refuses a gap', async () => {
    const topic = await newTopic();
    const api = { request: InitProducerIdRequest, response: InitProducerIdResponse };
    const { producerId } = await client.request(api, 4, { transactionalId: null, transactionTimeoutMs: 1000 });
    const sequenced = (baseSequence: number) =>
      encodeBatch([{ value: Buffer.from('v'), timestamp: now }], { producerId, producerEpoch: 0, baseSequence });
    expect(await produce(topic, sequenced(0))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await produce(topic, sequenced(1))).toMatchObject({ errorCode: 0, baseOffset: 1 });
    expect(await produce(topic, sequenced(0))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await produce(topic, sequenced(5))).toMatchObject({ errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER });
    expect(await fetchOne(topic, 0)).toMatchObject({ highWatermark: 2 });
  });

  it('gives no producer id for a transactional id before somebody has looked for its coordinator', async () => {
    const api = { request: InitProducerIdRequest, response: InitProducerIdResponse };
    const refused = await client.request(api, 4, { transactionalId: 't', transactionTimeoutMs: 1000 });
    expect(refused).toMatchObject({ errorCode: ErrorCode.NOT_COORDINATOR, producerId: -1, producerEpoch: -1 });
  });

  it('does not answer acks=0, and answers what comes after it', async () => {
    const topic = await newTopic();
    client.send(ProduceRequest, 9, {
      acks: 0,
      timeoutMs: 0,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: batchOf('quiet') }] }],
    });
    expect(valuesOf((await fetchOne(topic, 0)).records)).toEqual(['quiet']);
  });

  it('closes the connection where acks=0 fails', async () => {
    const other = await WireClient.connect(broker.bootstrapServers);
    other.send(ProduceRequest, 9, {
      acks: 0,
      timeoutMs: 0,
      topicData: [{ name: 'nowhere', partitionData: [{ index: 0, records: batchOf('x') }] }],
    });
    await other.closed;
  });
});

const flipped = (buf: Buffer, at: number): Buffer => {
  const copy = Buffer.from(buf);
  copy[at % copy.length] ^= 1;
  return copy;
};

describe('fetch', () => {
  it('gives an empty field, never null, where there is nothing, and OFFSET_OUT_OF_RANGE past the end', async () => {
    const topic = await newTopic();
    expect((await fetchOne(topic, 0)).records).toHaveLength(0);
    const past = await fetchOne(topic, 1);
    expect(past).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, highWatermark: -1 });
    expect(past.records).toHaveLength(0);
    expect(await fetchOne('nowhere', 0)).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
  });

  it('gives whole batches: the first even when it is larger than the limits', async () => {
    const topic = await newTopic();
    await produce(topic, batchOf('a'.repeat(300), 'b'));
    await produce(topic, batchOf('c'));
    const limited = await client.request(
      Fetch,
      11,
      fetchBody(topic, [{ fetchOffset: 1, partitionMaxBytes: 10 }], { maxBytes: 10 }),
    );
    expect(valuesOf(limited.responses[0].partitions[0].records)).toEqual(['a'.repeat(300), 'b']);
  });

  it('waits for minBytes and is woken by an append', async () => {
    const topic = await newTopic();
    const reader = await WireClient.connect(broker.bootstrapServers);
    const begun = performance.now();
    const fetched = reader.request(Fetch, 11, fetchBody(topic, [{ fetchOffset: 0 }], { maxWaitMs: 10_000 }));
    await new Promise((r) => setTimeout(r, 50));
    await produce(topic, batchOf('late'));
    expect(valuesOf((await fetched).responses[0].partitions[0].records)).toEqual(['late']);
    expect(performance.now() - begun).toBeLessThan(5000);
    await reader.close();
  });

  it('answers after maxWaitMs with nothing', async () => {
    const topic = await newTopic();
    const begun = performance.now();
    expect((await fetchOne(topic, 0, { maxWaitMs: 120 })).records).toHaveLength(0);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(110);
  });

  it('fences a wrong leader epoch', async () => {
    const topic = await newTopic();
    const response = await client.request(Fetch, 12, fetchBody(topic, [{ fetchOffset: 0, currentLeaderEpoch: 99 }]));
    expect(response.responses[0].partitions[0].errorCode).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
  });

  it('keeps a session: only partitions with news come back', async () => {
    const topic = await newTopic({}, 2);
    await produce(topic, batchOf('x'), { index: 0 });
    const wanted = [{ fetchOffset: 0 }, { fetchOffset: 0, partition: 1 }];
    const first = await client.request(Fetch, 11, fetchBody(topic, wanted, { sessionEpoch: 0 }));
    expect(first.sessionId).toBeGreaterThan(0);
    expect(first.responses[0].partitions).toHaveLength(2);
    const session = { sessionId: first.sessionId };
    const again = await client.request(
      Fetch,
      11,
      fetchBody(topic, [{ fetchOffset: 1 }], { ...session, sessionEpoch: 1 }),
    );
    expect(again.responses).toEqual([]);
    await produce(topic, batchOf('y'), { index: 1 });
    const third = await client.request(Fetch, 11, fetchBody(topic, [], { ...session, sessionEpoch: 2, topics: [] }));
    expect(third.responses[0].partitions.map((p) => p.partitionIndex)).toEqual([1]);
    const stale = await client.request(Fetch, 11, fetchBody(topic, [], { ...session, sessionEpoch: 2, topics: [] }));
    expect(stale.errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    const unknown = await client.request(
      Fetch,
      11,
      fetchBody(topic, [], { sessionId: 1, sessionEpoch: 5, topics: [] }),
    );
    expect(unknown.errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  });

  it('finds the names of topics that a client knows by id only, whatever names stand beside the ids', async () => {
    const topic = await newTopic();
    const { topics: described } = await client.request(Metadata, 12, { topics: [{ name: topic }] });
    const { topicId } = described[0];
    for (const name of [null, '']) {
      const { topics } = await client.request(Metadata, 13, { topics: [{ topicId, name }] });
      expect(topics.map((one) => [one.errorCode, one.name])).toEqual([[0, topic]]);
    }
    const unknown = { topicId: 'BBBBBBBBBBBBBBBBBBBBBA', name: '' };
    const { topics } = await client.request(Metadata, 13, { topics: [unknown] });
    expect(topics).toMatchObject([{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null }]);
  });

  it('goes by topic id from version 13 on', async () => {
    const topic = await newTopic();
    await produce(topic, batchOf('by id'));
    const { topics: described } = await client.request(Metadata, 12, { topics: [{ name: topic }] });
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }];
    const body = { maxWaitMs: 0, minBytes: 1, sessionEpoch: -1 };
    const found = await client.request(Fetch, 17, { ...body, topics: [{ topicId: described[0].topicId, partitions }] });
    expect(valuesOf(found.responses[0].partitions[0].records)).toEqual(['by id']);
    const lost = await client.request(Fetch, 17, {
      ...body,
      topics: [{ topicId: 'BBBBBBBBBBBBBBBBBBBBBA', partitions }],
    });
    expect(lost.responses[0].partitions[0].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
  });
});

describe('offsets', () => {
  async function listOffset(topic: string, timestamp: number, version = 7) {
    const response = await client.request(ListOffsets, version, {
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }],
    });
    return response.topics[0].partitions[0];
  }

  it('are found by the ends, by time, and by the newest time', async () => {
    const topic = await newTopic();
    for (const timestamp of [now - 3000, now - 1000, now - 2000]) {
      await produce(topic, encodeBatch([{ value: Buffer.from('v'), timestamp }]));
    }
    expect(await listOffset(topic, -2)).toMatchObject({ offset: 0, errorCode: 0 });
    expect(await listOffset(topic, -1)).toMatchObject({ offset: 3 });
    expect(await listOffset(topic, now - 2500)).toMatchObject({ offset: 1, timestamp: now - 1000 });
    expect(await listOffset(topic, -3)).toMatchObject({ offset: 1, timestamp: now - 1000 });
    expect(await listOffset(topic, now)).toMatchObject({ offset: -1, timestamp: -1, errorCode: 0 });
    expect(await listOffset(topic, -3, 6)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION });
    expect(await listOffset(topic, -1, 1)).toMatchObject({ offset: 3 });
  });

  it('move with DeleteRecords', async () => {
    const topic = await newTopic();
    for (const value of ['a', 'b', 'c']) await produce(topic, batchOf(value));
    const api = { request: DeleteRecordsRequest, response: DeleteRecordsResponse };
    const deleteBefore = async (offset: number) =>
      (
        await client.request(api, 2, {
          topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }],
          timeoutMs: 1000,
        })
      ).topics[0].partitions[0];
    expect(await deleteBefore(2)).toMatchObject({ lowWatermark: 2, errorCode: 0 });
    expect(await listOffset(topic, -2)).toMatchObject({ offset: 2 });
    expect(await fetchOne(topic, 0)).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
    expect(await deleteBefore(9)).toMatchObject({ lowWatermark: -1, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
    expect(await deleteBefore(-1)).toMatchObject({ lowWatermark: 3 });
  });
});

describe('metadata', () => {
  it('creates a topic on demand and answers when it can be produced to', async () => {
    const created = await client.request(Metadata, 12, {
      topics: [{ name: 'on-demand' }],
      allowAutoTopicCreation: true,
    });
    expect(created.topics[0]).toMatchObject({ errorCode: 0, name: 'on-demand', isInternal: false });
    expect(created.topics[0].partitions[0]).toMatchObject({
      errorCode: 0,
      leaderId: 1,
      replicaNodes: [1],
      isrNodes: [1],
    });
    expect(await produce('on-demand', batchOf('x'))).toMatchObject({ errorCode: 0 });
  });

  it('does not where the request forbids it, and tells bad names', async () => {
    const asked = await client.request(Metadata, 12, {
      topics: [{ name: 'not-there' }, { name: 'a b' }],
      allowAutoTopicCreation: false,
    });
    expect(asked.topics.map((t) => t.errorCode)).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
    ]);
  });

  it('tells all topics for null, none for an empty list; in version 0 the empty list means all', async () => {
    const topic = await newTopic();
    expect((await client.request(Metadata, 12, { topics: null })).topics.map((t) => t.name)).toContain(topic);
    expect((await client.request(Metadata, 12, { topics: [] })).topics).toEqual([]);
    expect((await client.request(Metadata, 0, { topics: [] })).topics.map((t) => t.name)).toContain(topic);
  });
});
