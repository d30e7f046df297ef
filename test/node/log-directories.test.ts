import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { Odradek } from '../../src/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { WireClient } from '../support/wire-client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const Fetch = { request: FetchRequest, response: FetchResponse };
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };
const Metadata = { request: MetadataRequest, response: MetadataResponse };
const DescribeLogDirs = { request: DescribeLogDirsRequest, response: DescribeLogDirsResponse };

const PARTITIONS = 4;
let root: string;
let first: string;
let second: string;
let broker: Odradek;
let client: WireClient;
let logger: CollectingLogger;

async function start(): Promise<void> {
  logger = new CollectingLogger();
  const config = { 'log.dirs': `${first},${second}`, 'log.flush.offset.checkpoint.interval.ms': '20' };
  broker = await Odradek.start({ config, logger });
  client = await WireClient.connect(broker.bootstrapServers);
}

async function stop(): Promise<void> {
  await client.close();
  await broker.stop();
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'odradek-dirs-'));
  first = join(root, 'first');
  second = join(root, 'second');
  return start();
});
afterEach(async () => {
  await stop();
  rmSync(root, { recursive: true, force: true });
});

async function produce(topic: string, index: number): Promise<number> {
  const records = encodeBatch([{ value: Buffer.from(`${index}`), timestamp: Date.now() }]);
  const topicData = [{ name: topic, partitionData: [{ index, records }] }];
  const response = await client.request(Produce, 9, { acks: -1, timeoutMs: 1000, topicData });
  return response.responses[0].partitionResponses[0].errorCode;
}

async function fetch(topic: string, partition: number): Promise<number> {
  const partitions = [{ partition, fetchOffset: 0, partitionMaxBytes: 1000 }];
  const response = await client.request(Fetch, 11, { sessionEpoch: -1, topics: [{ topic, partitions }] });
  return response.responses[0].partitions[0].errorCode;
}

async function logEnd(name: string, partitionIndex: number): Promise<{ errorCode: number; offset: number }> {
  const topics = [{ name, partitions: [{ partitionIndex, timestamp: -1 }] }];
  const response = await client.request(ListOffsets, 5, { replicaId: -1, topics });
  const { errorCode, offset } = response.topics[0].partitions[0];
  return { errorCode, offset: Number(offset) };
}

const leaders = async (name: string) =>
  (await client.request(Metadata, 9, { topics: [{ name }] })).topics[0].partitions
    .sort((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ leaderId }) => leaderId);

async function directories() {
  const { results } = await client.request(DescribeLogDirs, 4, { topics: null });
  return new Map(
    results.map(({ logDir, errorCode, totalBytes, topics }) => [
      logDir,
      {
        errorCode,
        isSized: totalBytes > 0,
        partitions: topics.filter((t) => t.name === 'spread').flatMap((t) => t.partitions.map((p) => p.partitionIndex)),
      },
    ]),
  );
}

/** The folder is gone, and what stands in its place is no folder. */
function breakDirectory(path: string): void {
  renameSync(path, `${path}.kept`);
  writeFileSync(path, '');
}

function mendDirectory(path: string): void {
  rmSync(path);
  renameSync(`${path}.kept`, path);
  // what stayed of the lock names this process, which is not over as the broker's would be
  rmSync(join(path, '.lock'));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('several log directories', () => {
  beforeEach(async () => {
    await broker.createTopics([{ name: 'spread', partitions: PARTITIONS }]);
    for (let index = 0; index < PARTITIONS; index++) expect(await produce('spread', index)).toBe(0);
  });

  it('share the partitions, which stay where they are', async () => {
    const before = await directories();
    expect([...before.values()].map((d) => [d.errorCode, d.isSized, d.partitions.length])).toEqual([
      [0, true, 2],
      [0, true, 2],
    ]);
    await stop();
    await start();
    expect(await directories()).toEqual(before);
  });

  it('go on without one that fails; its partitions are offline until the next start', async () => {
    const lost = (await directories()).get(second)?.partitions ?? [];
    const kept = (await directories()).get(first)?.partitions ?? [];
    breakDirectory(second);
    await until(async () => (await directories()).get(second)?.errorCode === ErrorCode.KAFKA_STORAGE_ERROR);
    expect((await directories()).get(second)).toMatchObject({ isSized: false, partitions: [] });
    await until(async () => (await leaders('spread')).includes(-1));
    expect(await leaders('spread')).toEqual([0, 1, 2, 3].map((index) => (lost.includes(index) ? -1 : 1)));
    for (const index of lost) {
      expect(await produce('spread', index)).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
      expect(await fetch('spread', index)).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
      expect((await logEnd('spread', index)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    }
    for (const index of kept) {
      expect(await produce('spread', index)).toBe(0);
      expect(await fetch('spread', index)).toBe(0);
    }
    await broker.createTopics([{ name: 'later', partitions: 2 }]);
    expect([await produce('later', 0), await produce('later', 1), await leaders('later')]).toEqual([0, 0, [1, 1]]);
    expect(logger.lines.filter((line) => line.message.includes('the log directory has failed'))).toHaveLength(1);

    await stop();
    await start();
    expect(logger.lines.some((line) => line.message.includes('the log directory cannot be used'))).toBe(true);
    expect(await leaders('spread')).toEqual([0, 1, 2, 3].map((index) => (lost.includes(index) ? -1 : 1)));
    for (const index of lost) expect(await produce('spread', index)).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(existsSync(join(first, `spread-${lost[0]}`))).toBe(false);

    await stop();
    mendDirectory(second);
    await start();
    expect(await leaders('spread')).toEqual([1, 1, 1, 1]);
    for (const index of lost) expect(await logEnd('spread', index)).toEqual({ errorCode: 0, offset: 1 });
    for (const index of kept) expect(await logEnd('spread', index)).toEqual({ errorCode: 0, offset: 2 });
  });
});
