import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { setCrc } from '../../protocol/records/check.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { clientOfEachTest, newTopics } from './hand-made.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const now = Date.now();
const key = Buffer.from('k');
const value = Buffer.from('v');

/** What a refusal says. In its texts T stands for the topic, # for a timestamp. */
interface Refusal {
  error: keyof typeof ErrorCode;
  /** The log start offset is told where the log itself has refused. */
  knowsLogStart: boolean;
  words?: string;
  /** By the index of the record in the batch. */
  refusedRecords?: Record<number, string>;
}

const NO_KEY = 'Compacted topic cannot accept message without key in topic partition T-0';
const REJECTED =
  'One or more records have been rejected due to 2 record errors in total, and only showing the first three errors at most: ' +
  `[RecordError(batchIndex=1, message='${NO_KEY}'), RecordError(batchIndex=2, message='${NO_KEY}')]`;
const OUT_OF_RANGE = 'Timestamp # of message with offset 1 is out of range. The timestamp should be within [#, #]';
const APPEND_TIME =
  'Invalid timestamp type in message DefaultRecord(offset=0, timestamp=#, key=1 bytes, value=1 bytes). ' +
  'Producer should not set timestamp type to LogAppendTime.';

const masked = (text: string | null, topic: string): string | null =>
  text?.replaceAll(topic, 'T').replaceAll(/-?\d{10,}/g, '#') ?? null;

const good = (): Buffer => encodeBatch([{ key, value, timestamp: now }]);
const damaged = (change: (batch: Buffer) => void): Buffer => {
  const batch = good();
  change(batch);
  return batch;
};

describeBrokers('a refused produce', (broker) => {
  const client = clientOfEachTest(broker);

  async function newTopic(configs: Record<string, string>): Promise<string> {
    const topic = uniqueName('refused');
    const configEntries = Object.entries(configs).map(([name, v]) => ({ name, value: v }));
    await newTopics(broker, { topic, configEntries });
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
      { error: 'INVALID_RECORD', knowsLogStart: true, words: REJECTED, refusedRecords: { 1: NO_KEY, 2: NO_KEY } },
    ],
    [
      'a timestamp out of range',
      { 'message.timestamp.after.max.ms': '1000' },
      () =>
        encodeBatch([
          { value, timestamp: now },
          { value, timestamp: now + 1_000_000 },
        ]),
      {
        error: 'INVALID_TIMESTAMP',
        knowsLogStart: true,
        words: 'One or more records have been rejected due to invalid timestamp',
        refusedRecords: { 1: OUT_OF_RANGE },
      },
    ],
    [
      'a timestamp of the append',
      { 'message.timestamp.type': 'LogAppendTime' },
      () =>
        damaged((b) => {
          b.writeInt16BE(8, 21);
          setCrc(b, 0);
        }),
      {
        error: 'INVALID_TIMESTAMP',
        knowsLogStart: true,
        words: 'One or more records have been rejected due to invalid timestamp',
        refusedRecords: { 0: APPEND_TIME },
      },
    ],
    ...[10, -10].map((length): [string, Record<string, string>, () => Buffer, Refusal] => [
      `a batch length of ${length}`,
      {},
      () => damaged((b) => b.writeInt32BE(length, 8)),
      {
        error: 'CORRUPT_MESSAGE',
        knowsLogStart: false,
        words: `Record size ${length} is less than the minimum record overhead (14)`,
      },
    ]),
    [
      'a magic that does not exist',
      {},
      () => damaged((b) => b.writeInt8(3, 16)),
      { error: 'CORRUPT_MESSAGE', knowsLogStart: false, words: 'Invalid magic found in record: 3' },
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
    const topic = await newTopic(configs);
    const answer = await produce(topic, records());
    const { words = null, refusedRecords = {} } = expected;
    expect(answer).toMatchObject({
      errorCode: ErrorCode[expected.error],
      baseOffset: -1,
      logStartOffset: expected.knowsLogStart ? 0 : -1,
    });
    expect(masked(answer.errorMessage, topic)).toBe(words);
    const told = answer.recordErrors.map((e) => [e.batchIndex, masked(e.batchIndexErrorMessage, topic)]);
    expect(Object.fromEntries(told)).toEqual(refusedRecords);
  });
  it('is none for want of more replicas in sync than there are', async () => {
    const topic = await newTopic({ 'min.insync.replicas': '3' });
    expect((await produce(topic, good())).errorCode).toBe(ErrorCode.NONE);
  });
});
