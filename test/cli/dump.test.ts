import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apis } from '../../protocol/messages/index.ts';
import { CompressionType } from '../../protocol/records/batch.ts';
import { transactionMarkerBatch } from '../../protocol/records/control.ts';
import { encodeBatch, type RecordInput } from '../../protocol/records/encode.ts';
import { dumpCommand } from '../../src/cli/dump/dump.ts';
import { Odradek } from '../../src/index.ts';
import { encodeSnapshot } from '../../storage/producer-snapshot.ts';
import { WireClient } from '../support/wire-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'odradek-dump-'));
const LOG = '00000000000000000000.log';
const INDEX = '00000000000000000000.index';
const NOW = 1_700_000_000_000;

async function dump(files: string[], records = false): Promise<[number, Record<string, unknown>[]]> {
  const output = new PassThrough();
  const printed = text(output);
  const code = await dumpCommand({ files: files.map((file) => join(dir, file)), records }, output);
  output.end();
  const lines = (await printed).split('\n').slice(0, -1);
  return [code, lines.map((line) => JSON.parse(line) as Record<string, unknown>)];
}

/** A data directory with records, a producer, a committed offset and their like in it. */
beforeAll(async () => {
  const broker = await Odradek.start({ dataDir: dir, topics: ['t'], config: { 'log.index.interval.bytes': '50' } });
  const client = await WireClient.connect(broker.bootstrapServers);
  const { producerId } = await client.request(apis[22], 4, { transactionalId: null, transactionTimeoutMs: 1000 });
  const produce = (records: RecordInput[], baseSequence: number) => {
    const encoded = encodeBatch(records, {
      producerId,
      producerEpoch: 0,
      baseSequence,
      compression: CompressionType.GZIP,
    });
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: encoded }] }];
    return client.request(apis[0], 9, { acks: -1, timeoutMs: 1000, topicData });
  };
  const headers = [{ key: 'h', value: Buffer.from('v') }];
  await produce([{ key: Buffer.from('k'), value: Buffer.from('é'), headers, timestamp: NOW }], 0);
  await produce(
    [
      { value: null, timestamp: NOW + 1 },
      { value: Buffer.from([0xff]), timestamp: NOW + 2 },
    ],
    1,
  );
  await client.request(apis[10], 4, { keyType: 0, coordinatorKeys: ['g'] });
  await client.request(apis[8], 8, {
    groupId: 'g',
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'm' }] }],
  });
  await client.close();
  await broker.stop();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('odradek dump', () => {
  test('tells the batches of a log', async () => {
    const [code, lines] = await dump([`t-0/${LOG}`]);
    expect(code).toBe(0);
    expect(lines).toMatchObject([
      { kind: 'batches', topic: 't' },
      { position: 0, baseOffset: 0, lastOffset: 0, records: 1, compression: 'gzip', producerId: 0, isValid: true },
      { baseOffset: 1, lastOffset: 2, records: 2, baseSequence: 1, maxTimestamp: NOW + 2, leaderEpoch: 0 },
    ]);
    expect(lines[2].position).toBe(lines[1].sizeBytes);
  });

  test('tells the records, as text where they are text', async () => {
    const [, lines] = await dump([`t-0/${LOG}`], true);
    expect(lines.filter((line) => 'offset' in line)).toEqual([
      { offset: 0, timestamp: NOW, headers: [{ key: 'h', value: 'v' }], key: 'k', value: 'é' },
      { offset: 1, timestamp: NOW + 1, key: null, value: null },
      { offset: 2, timestamp: NOW + 2, key: null, value: { base64: '/w==' } },
    ]);
  });

  test('tells indexes, producers and checkpoints', async () => {
    const snapshot = readdirSync(join(dir, 't-0')).find((name) => name.endsWith('.snapshot'));
    const files = [`t-0/${INDEX}`, `t-0/${INDEX.replace('index', 'timeindex')}`, `t-0/${snapshot}`];
    const [code, lines] = await dump([...files, 't-0/leader-epoch-checkpoint', 'recovery-point-offset-checkpoint']);
    expect(code).toBe(0);
    const second = (await dump([`t-0/${LOG}`]))[1][2];
    expect(lines.map(({ file, ...line }) => line)).toEqual(
      expect.arrayContaining([
        { kind: 'offset index' },
        { offset: 2, position: second.position },
        { kind: 'time index' },
        { timestamp: NOW + 2, offset: 2 },
        expect.objectContaining({ kind: 'producers', version: 1, count: 1, isValid: true }),
        expect.objectContaining({ producerId: 0, producerEpoch: 0, lastSequence: 2, lastOffset: 2, offsetDelta: 1 }),
        { kind: 'checkpoint', version: 0, count: 1 },
        { epoch: 0, startOffset: 0 },
        { topic: 't', partition: 0, offset: 3 },
      ]),
    );
  });

  test("tells the records of Kafka's own topics by their fields", async () => {
    const folders = readdirSync(dir).filter((name) => name.startsWith('__consumer_offsets-'));
    const logs = folders.map((name) => `${name}/${LOG}`).filter((file) => existsSync(join(dir, file)));
    const [, offsets] = await dump(logs, true);
    expect(offsets.find(({ type }) => type === 'OffsetCommit')).toMatchObject({
      key: { group: 'g', topic: 't', partition: 0 },
      value: { offset: 2, metadata: 'm' },
    });
    const [code, metadata] = await dump([`__cluster_metadata-0/${LOG}`], true);
    expect(code).toBe(0);
    expect(metadata.find(({ type }) => type === 'TopicRecord')).toMatchObject({ version: 0, value: { name: 't' } });
    expect(metadata.some(({ type }) => type === 'PartitionRecord')).toBe(true);
  });

  test('tells markers of transactions and aborted ones', async () => {
    const marker = { commit: false, coordinatorEpoch: 3, producerId: 7, producerEpoch: 1, timestampMs: NOW };
    writeFileSync(join(dir, LOG), transactionMarkerBatch(marker));
    const entry = Buffer.alloc(34);
    for (const [i, value] of [7n, 1n, 5n, 4n].entries()) entry.writeBigInt64BE(value, 2 + 8 * i);
    writeFileSync(join(dir, '0.txnindex'), entry);
    const [code, lines] = await dump([LOG, '0.txnindex'], true);
    expect(code).toBe(0);
    expect(lines).toMatchObject([
      { kind: 'batches', topic: null },
      { isControl: true, isTransactional: true, producerId: 7, producerEpoch: 1 },
      { type: 'abort', value: { coordinatorEpoch: 3 } },
      { kind: 'transaction index' },
      { version: 0, producerId: 7, firstOffset: 1, lastOffset: 5, lastStableOffset: 4 },
    ]);
  });

  test('leaves out the zeros behind the entries of an index', async () => {
    const index = Buffer.alloc(80);
    index.writeInt32BE(4, 0);
    index.writeInt32BE(100, 4);
    writeFileSync(join(dir, '00000000000000000010.index.deleted'), index);
    const [, lines] = await dump(['00000000000000000010.index.deleted']);
    expect(lines.slice(1)).toEqual([{ offset: 14, position: 100 }]);
  });

  test.each<[string, string, Buffer, object]>([
    ['a log that is cut off', 'x.log', encodeBatch([{ value: null }]).subarray(0, 50), { error: /of which 50/ }],
    ['a log that ends in a few bytes', 'x.log', Buffer.alloc(5), { error: /too few/ }],
    ['a log of nonsense', 'x.log', Buffer.alloc(100, 'x'), { error: /magic/ }],
    ['a snapshot that is cut off', 'x.snapshot', encodeSnapshot([], 0).subarray(0, 5), { error: /too few/ }],
    ['a snapshot with a wrong CRC', 'x.snapshot', Buffer.alloc(10), { isValid: false, error: /CRC/ }],
    ['a checkpoint of nonsense', 'x-checkpoint', Buffer.from('0\n1\nnonsense\n'), { error: /nonsense/ }],
    ['a file of another kind', 'meta.properties', Buffer.from('a=b\n'), { error: /kind/ }],
  ])('tells what is wrong with %s', async (_what, name, content, expected) => {
    writeFileSync(join(dir, name), content);
    const [code, lines] = await dump([name], true);
    const error = expect.stringMatching((expected as { error: RegExp }).error) as string;
    expect(lines.at(-1)).toMatchObject({ ...expected, error });
    expect(code).toBe(1);
  });

  test('tells damaged batches, records and payloads, and goes on', async () => {
    const batch = encodeBatch([{ value: Buffer.from('v') }]);
    const damaged = Buffer.from(batch);
    damaged[damaged.length - 1] ^= 1;
    writeFileSync(join(dir, 'x.log'), Buffer.concat([damaged, batch]));
    const [code, lines] = await dump(['x.log'], true);
    expect([code, lines[1], lines[3]]).toMatchObject([1, { isValid: false }, { value: 'v' }]);
    writeFileSync(join(dir, `__cluster_metadata-0/x.log`), batch);
    const [, [, , record]] = await dump(['__cluster_metadata-0/x.log'], true);
    expect(record).toMatchObject({ offset: 0, value: 'v', error: expect.stringContaining('metadata record') });
  });

  test('tells a file that is not there', async () => {
    const [code, lines] = await dump(['none.log', `t-0/${LOG}`]);
    expect([code, lines.length]).toEqual([1, 5]);
    expect(lines[1].error).toContain('ENOENT');
  });
});
