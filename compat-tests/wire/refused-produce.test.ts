import { afterEach, beforeEach, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const now = Date.now();
const key = Buffer.from('k');
const value = Buffer.from('v');

/** What the fields of a refusal say, apart from the words. */
interface Refusal {
  error: keyof typeof ErrorCode;
  /** The log start offset is told where the log itself has refused. */
  knowsLogStart: boolean;
  refusedRecords?: number[];
}

const good = (): Buffer => encodeBatch([{ key, value, timestamp: now }]);
const damaged = (change: (batch: Buffer) => void): Buffer => {
  const batch = good();
  change(batch);
  return batch;
};

describeBrokers('a refused produce', (broker) => {
  let client: WireClient;
  beforeEach(async () => {
    client = await WireClient.connect(broker.bootstrapServers);
  });
  afterEach(() => client.close());

  async function newTopic(configs: Record<string, string>): Promise<string> {
    const topic = uniqueName('refused');
    const admin = kafkajs(broker.bootstrapServers).admin();
    await admin.connect();
    const configEntries = Object.entries(configs).map(([name, v]) => ({ name, value: v }));
    await admin.createTopics({ topics: [{ topic, configEntries }] });
    await admin.disconnect();
    return topic;
  }

  async function produce(topic: string, records: Buffer) {
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
    const { responses } = await client.request(Produce, 9, { acks: -1, timeoutMs: 5000, topicData });
    return responses[0].partitionResponses[0];
  }

  it.each<[string, Record<string, string>, () => Buffer, Refusal]>([
    [
      'records without keys in a compacted topic',
      { 'cleanup.policy': 'compact' },
      () =>
        encodeBatch([
          { key, value, timestamp: now },
          { value, timestamp: now },
          { value, timestamp: now },
        ]),
      { error: 'INVALID_RECORD', knowsLogStart: true, refusedRecords: [1, 2] },
    ],
    [
      'a timestamp out of range',
      { 'message.timestamp.after.max.ms': '1000' },
      () =>
        encodeBatch([
          { value, timestamp: now },
          { value, timestamp: now + 1_000_000 },
        ]),
      { error: 'INVALID_TIMESTAMP', knowsLogStart: true, refusedRecords: [1] },
    ],
    [
      'a batch that is too large',
      { 'max.message.bytes': '1000' },
      () => encodeBatch([{ value: Buffer.alloc(2000), timestamp: now }]),
      { error: 'MESSAGE_TOO_LARGE', knowsLogStart: false },
    ],
    [
      'a CRC that does not match',
      {},
      () => damaged((b) => b.writeUInt32BE(1, 17)),
      { error: 'CORRUPT_MESSAGE', knowsLogStart: false },
    ],
    [
      'a base offset',
      {},
      () => damaged((b) => b.writeBigInt64BE(5n, 0)),
      { error: 'INVALID_RECORD', knowsLogStart: true },
    ],
    ['an old magic', {}, () => damaged((b) => b.writeInt8(1, 16)), { error: 'INVALID_RECORD', knowsLogStart: false }],
    ['two batches', {}, () => Buffer.concat([good(), good()]), { error: 'INVALID_RECORD', knowsLogStart: false }],
    ['no batch', {}, () => Buffer.alloc(0), { error: 'INVALID_RECORD', knowsLogStart: false }],
  ])('with %s', async (_what, configs, records, expected) => {
    const answer = await produce(await newTopic(configs), records());
    const { refusedRecords = [] } = expected;
    expect(answer).toMatchObject({
      errorCode: ErrorCode[expected.error],
      baseOffset: -1,
      logStartOffset: expected.knowsLogStart ? 0 : -1,
    });
    expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual(refusedRecords);
    expect(answer.errorMessage === null).toBe(refusedRecords.length === 0);
  });
  it('is none for want of more replicas in sync than there are', async () => {
    const topic = await newTopic({ 'min.insync.replicas': '3' });
    expect((await produce(topic, good())).errorCode).toBe(ErrorCode.NONE);
  });
});
