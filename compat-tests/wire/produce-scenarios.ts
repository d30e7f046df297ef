import { type Int64, toNumber } from '../../protocol/int64.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts';
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../protocol/messages/27-write-txn-markers.ts';
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts';
import { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts';
import { CompressionType, type CompressionTypeId, maxTimestamp } from '../../protocol/records/batch.ts';
import { setCrc } from '../../protocol/records/check.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { uniqueName } from '../helpers.ts';
import { oneRecord, type Producer, type Recording } from './recording.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };
const DeleteRecords = { request: DeleteRecordsRequest, response: DeleteRecordsResponse };
const Markers = { request: WriteTxnMarkersRequest, response: WriteTxnMarkersResponse };
const Describe = { request: DescribeTransactionsRequest, response: DescribeTransactionsResponse };
const List = { request: ListTransactionsRequest, response: ListTransactionsResponse };

type Data = [index: number, records: Buffer][];
const TOPIC_IDS_SINCE = 13;
/** For ListOffsets (KIP-734). */
const MAX_TIMESTAMP = -3;

const batch = (producer: Producer, baseSequence: number, transactional = false): Buffer =>
  oneRecord({ ...producer, baseSequence, transactional });
const changed = (of: Buffer, change: (batch: Buffer) => void): Buffer => {
  change(of);
  return of;
};

function produce(
  r: Recording,
  what: string,
  version: number,
  topics: { name: string; topicId?: string; data: Data }[],
  more: InputOf<typeof ProduceRequest> = {},
) {
  const topicData = topics.map(({ name, topicId, data }) => ({
    ...(version >= TOPIC_IDS_SINCE ? { topicId } : { name }),
    partitionData: data.map(([index, records]) => ({ index, records })),
  }));
  return r.ask(what, Produce, version, { acks: -1, timeoutMs: 5000, topicData, ...more });
}

const ends = (r: Recording, ...topics: string[]) => {
  const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }));
  return r.ask('ends', ListOffsets, 7, { topics: topics.map((name) => ({ name, partitions })) });
};

/** What Kafka answers to right and wrong requests that append or delete records. */
export const produces: Record<string, (r: Recording) => Promise<void>> = {
  async refusedInTransactions(r) {
    const name = uniqueName('refused');
    await r.topic(name, 't');
    const malformed: Record<string, (by: Producer) => Buffer> = {
      'two batches': (by) => Buffer.concat([batch(by, 0, true), batch(by, 1, true)]),
      'a batch that is not transactional behind': (by) => Buffer.concat([batch(by, 0, true), batch(by, 1)]),
      'an old magic': (by) => changed(batch(by, 0, true), (b) => b.writeInt8(1, 16)),
      'half a batch': (by) => changed(batch(by, 0, true), (b) => b.writeInt32BE(b.length, 8)),
      'a wrong CRC': (by) => changed(batch(by, 0, true), (b) => b.writeUInt32BE(1, 17)),
      'a wrong count': (by) => changed(batch(by, 0, true), (b) => b.writeInt32BE(5, 57)),
      'a base offset': (by) => changed(batch(by, 0, true), (b) => b.writeBigInt64BE(5n, 0)),
    };
    for (const [what, records] of Object.entries(malformed)) {
      for (const version of [11, 12]) {
        const transactionalId = r.standIn(uniqueName('id'), 'x');
        await r.ready(transactionalId);
        const producer = await r.producer(transactionalId);
        const data: Data = [[0, records(producer)]];
        await produce(r, what, version, [{ name, data }], { transactionalId });
        await r.ask('then', Describe, 0, { transactionalIds: [transactionalId] });
        await produce(
          r,
          `${what}, and one that is right`,
          version,
          [{ name, data: [...data, [1, batch(producer, 0, true)]] }],
          { transactionalId },
        );
        await r.ask('then', Describe, 0, { transactionalIds: [transactionalId] });
      }
    }
  },

  async twice(r) {
    const name = uniqueName('twice');
    const topicId = await r.topic(name, 't');
    const other = uniqueName('other');
    const otherId = await r.topic(other, 'u');
    const one: Data[number] = [0, oneRecord()];
    for (const version of [9, 12, 13]) {
      const t = (...data: Data) => ({ name, topicId, data });
      const u = (...data: Data) => ({ name: other, topicId: otherId, data });
      await produce(r, 'a partition twice', version, [t(one, one)]);
      await ends(r, name);
      await produce(r, 'a topic twice', version, [t(one), u(one), t(one)]);
      await produce(r, 'a topic twice, other partitions', version, [t(one), u(one), t([1, oneRecord()])]);
      await produce(r, 'two wrong ones', version, [t([0, Buffer.alloc(0)], [0, Buffer.alloc(0)])]);
      await produce(r, 'a partition that does not exist, twice', version, [t([9, one[1]], [9, one[1]])]);
      await produce(r, 'no partitions', version, [t()]);
      await produce(r, 'no partitions, and some', version, [t(), u(one)]);
      await produce(r, 'no topics', version, []);
      await produce(r, 'wrong acks', version, [t(one, one), u()], { acks: 2 });
      await ends(r, name, other);
    }
  },

  async claimedTimes(r) {
    const nowMs = Date.now();
    const minutes = (timestamp: Int64): number => (toNumber(timestamp) - nowMs) / 60_000;
    const records = [-5, -1, -9].map((at) => ({ timestamp: nowMs + at * 60_000 }));
    const { NONE, GZIP } = CompressionType;
    const claims: [codec: CompressionTypeId, atMinute: number][] = [
      ...[-1, -9, 0, 30, 100_000].map((at): [CompressionTypeId, number] => [NONE, at]),
      [GZIP, -1],
      // docs/decisions/0002-compressed-batches.md: one that is in range is believed
      [GZIP, 100_000],
    ];
    const name = uniqueName('claimed');
    await r.topic(name, 't', claims.length);
    for (const [index, [compression, claimed]] of claims.entries()) {
      const sent = changed(encodeBatch(records, { compression }), (b) => {
        b.writeBigInt64BE(BigInt(nowMs + claimed * 60_000), 35);
        setCrc(b, 0);
      });
      await produce(r, `${claimed} as the newest of -5, -1, -9`, 9, [{ name, data: [[index, sent]] }]);
      const wanted = { partitionIndex: index, timestamp: MAX_TIMESTAMP };
      const { topics } = await r.client.request(ListOffsets, 7, { topics: [{ name, partitions: [wanted] }] });
      const { offset, timestamp } = topics[0].partitions[0];
      const kept = await r.records(name, index);
      r.lines.push(`newest: ${offset} at ${minutes(timestamp)}; in the header: ${minutes(maxTimestamp(kept, 0))}`);
    }
  },

  async transactionsTwice(r) {
    const name = uniqueName('twice');
    await r.topic(name, 't');
    for (const version of [11, 12]) {
      const transactionalId = r.standIn(uniqueName('id'), 'x');
      await r.ready(transactionalId);
      const producer = await r.producer(transactionalId);
      const two: Data = [
        [0, batch(producer, 0, true)],
        [0, batch(producer, 1, true)],
      ];
      await produce(r, 'a partition twice', version, [{ name, data: two }], { transactionalId });
      await produce(r, 'a partition twice, the first one last', version, [{ name, data: two.toReversed() }], {
        transactionalId,
      });
      await produce(
        r,
        'transactional and not',
        version,
        [
          {
            name,
            data: [
              [1, batch(producer, 0, true)],
              [1, oneRecord()],
            ],
          },
        ],
        { transactionalId },
      );
      await r.ask('then', Describe, 0, { transactionalIds: [transactionalId] });
      await produce(r, 'no transactional id', version, [
        {
          name,
          data: [
            [1, batch(producer, 0, true)],
            [1, oneRecord()],
          ],
        },
      ]);
    }
  },

  async listOffsets(r) {
    const name = uniqueName('listed');
    await r.topic(name, 't');
    await produce(r, 'filled', 9, [{ name, data: [[0, oneRecord()]] }]);
    const of = (partitionIndex: number, timestamp: number) => ({ partitionIndex, timestamp });
    for (const version of [1, 5, 7, 10]) {
      const ask = (what: string, topics: InputOf<typeof ListOffsetsRequest>['topics'], more = {}) =>
        r.ask(what, ListOffsets, version, { topics, ...more });
      await ask('a partition twice', [{ name, partitions: [of(0, -1), of(0, -2), of(1, -1)] }]);
      await ask('thrice', [{ name, partitions: [of(0, -1), of(0, -2), of(0, -1)] }]);
      await ask('a topic twice', [
        { name, partitions: [of(0, -1)] },
        { name, partitions: [of(1, -1)] },
      ]);
      await ask('a topic and a partition twice', [
        { name, partitions: [of(0, -1)] },
        { name, partitions: [of(0, -2)] },
      ]);
      await ask('one that does not exist, twice', [{ name, partitions: [of(9, -1), of(9, -2)] }]);
      await ask('a topic that does not exist, twice', [{ name: 'no-such-topic', partitions: [of(0, -1), of(0, -2)] }]);
      await ask('no partitions', [{ name, partitions: [] }]);
      await ask('no topics', []);
      if (version === 1) continue;
      for (const isolationLevel of [-1, 2, 7]) {
        await ask(
          `isolation ${isolationLevel}`,
          [
            { name, partitions: [of(0, -1), of(9, -1)] },
            { name: 'no-such-topic', partitions: [of(0, -1)] },
          ],
          { isolationLevel },
        );
        await ask(`isolation ${isolationLevel}, twice`, [{ name, partitions: [of(0, -1), of(0, -2)] }], {
          isolationLevel,
        });
      }
    }
  },

  async deleteRecords(r) {
    const name = uniqueName('deleted');
    await r.topic(name, 't');
    for (let i = 0; i < 4; i++)
      await r.client.request(Produce, 9, {
        acks: -1,
        timeoutMs: 5000,
        topicData: [{ name, partitionData: [{ index: 0, records: oneRecord() }] }],
      });
    const of = (partitionIndex: number, offset: number) => ({ partitionIndex, offset });
    for (const version of [0, 2]) {
      const ask = (what: string, ...topics: { name: string; partitions: ReturnType<typeof of>[] }[]) =>
        r.ask(what, DeleteRecords, version, { topics, timeoutMs: 5000 });
      await ask('a partition twice', { name, partitions: [of(0, 2), of(0, 1)] });
      await ask('a wrong one last', { name, partitions: [of(0, 3), of(0, 9)] });
      await ask('a wrong one first', { name, partitions: [of(0, 9), of(0, 3)] });
      await ask('a topic twice', { name, partitions: [of(0, 3)] }, { name, partitions: [of(1, 0)] });
      await ask('no partitions', { name, partitions: [] });
      await ask(
        'no partitions, and some',
        { name, partitions: [] },
        { name: 'no-such-topic', partitions: [of(0, 1), of(0, 2)] },
      );
      await ask('no partitions of what does not exist', { name: 'no-such-topic', partitions: [] });
      await ask('no topics');
    }
  },

  async markers(r) {
    const name = uniqueName('marked');
    await r.topic(name, 't');
    const transactionalId = r.standIn(uniqueName('id'), 'x');
    await r.ready(transactionalId);
    const nobody = { producerId: 123_457, producerEpoch: -1 };
    const marker = (by: Producer, more = {}) => ({
      ...by,
      transactionResult: false,
      coordinatorEpoch: 0,
      topics: [{ name, partitionIndexes: [0] }],
      ...more,
    });
    for (const version of [1, 2]) {
      const ask = (what: string, ...markers: InputOf<typeof WriteTxnMarkersRequest>['markers'] & object) =>
        r.ask(what, Markers, version, { markers });
      await ask('a negative epoch', marker(nobody));
      await ask(
        'a negative epoch, no such partition',
        marker(nobody, { topics: [{ name, partitionIndexes: [9, 0] }] }),
      );
      await ask('epoch -5', marker({ ...nobody, producerEpoch: -5 }));
      await ask('a negative id', marker({ producerId: -1, producerEpoch: 0 }));
      await ask('id -7', marker({ producerId: -7, producerEpoch: 0 }));
      const producer = await r.producer(transactionalId, 4);
      await produce(r, 'open', 12, [{ name, data: [[1, batch(producer, 0, true)]] }], { transactionalId });
      await ask(
        'a negative epoch of an open transaction',
        marker({ ...producer, producerEpoch: -1 }, { topics: [{ name, partitionIndexes: [1] }] }),
      );
      await ask(
        'a negative coordinator epoch',
        marker(producer, { coordinatorEpoch: -1, topics: [{ name, partitionIndexes: [1] }] }),
      );
      await ask('no markers');
      await ask('no topics', marker(producer, { topics: [] }));
      await ask('no topics, and some', marker(producer, { topics: [] }), marker({ producerId: 7, producerEpoch: 0 }));
      await ask('no partitions', marker(producer, { topics: [{ name, partitionIndexes: [] }] }));
      await ask(
        'two of one id',
        marker({ producerId: 8, producerEpoch: 0 }),
        marker({ producerId: 8, producerEpoch: 0 }, { topics: [{ name, partitionIndexes: [1] }] }),
      );
      await ask(
        'two of one id and partition',
        marker({ producerId: 8, producerEpoch: 0 }),
        marker({ producerId: 9, producerEpoch: 0 }),
        marker({ producerId: 8, producerEpoch: 0 }),
      );
      await ask(
        'a topic twice',
        marker(
          { producerId: 10, producerEpoch: 0 },
          {
            topics: [
              { name, partitionIndexes: [1] },
              { name, partitionIndexes: [0, 9] },
            ],
          },
        ),
      );
    }
    await ends(r, name);
    await r.ask('unknown states, twice', List, 1, {
      stateFilters: ['Nope', 'Empty', 'Nope', 'Neither'],
      producerIdFilters: [999_999_999],
    });
  },
};
