import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../../protocol/messages/34-alter-replica-log-dirs.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import * as batch from '../../protocol/records/batch.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { Odradek } from '../../src/index.ts';
import { DiskError, NodeDisk } from '../../storage/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { WireClient } from '../support/wire-client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const Fetch = { request: FetchRequest, response: FetchResponse };
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };
const Metadata = { request: MetadataRequest, response: MetadataResponse };
const CreateTopics = { request: CreateTopicsRequest, response: CreateTopicsResponse };
const AlterReplicaLogDirs = { request: AlterReplicaLogDirsRequest, response: AlterReplicaLogDirsResponse };
const IncrementalAlterConfigs = { request: IncrementalAlterConfigsRequest, response: IncrementalAlterConfigsResponse };
const DescribeLogDirs = { request: DescribeLogDirsRequest, response: DescribeLogDirsResponse };

const PARTITIONS = 4;
const THROTTLE = 'replica.alter.log.dirs.io.max.bytes.per.second';
let root: string;
let first: string;
let second: string;
let broker: Odradek;
let client: WireClient;
let logger: CollectingLogger;

async function start(): Promise<void> {
  logger = new CollectingLogger();
  const config = {
    'log.dirs': `${first},${second}`,
    'log.flush.offset.checkpoint.interval.ms': '20',
    'log.cleaner.backoff.ms': '20',
  };
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

async function move(name: string, index: number, path: string): Promise<number> {
  const response = await client.request(AlterReplicaLogDirs, 2, {
    dirs: [{ path, topics: [{ name, partitions: [index] }] }],
  });
  return response.results[0].partitions[0].errorCode;
}

async function configureBroker(settings: { name: string; value: string }[]): Promise<number> {
  const configs = settings.map((setting) => ({ ...setting, configOperation: 0 }));
  const response = await client.request(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: 4, resourceName: '', configs }],
  });
  return response.responses[0].errorCode;
}

/** All record batches of a partition, in hex. */
async function recordsOf(topic: string, partition: number): Promise<string> {
  const pieces: string[] = [];
  for (let fetchOffset = 0; ; ) {
    const partitions = [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }];
    const response = await client.request(Fetch, 11, {
      maxWaitMs: 0,
      sessionEpoch: -1,
      topics: [{ topic, partitions }],
    });
    const { errorCode, records } = response.responses[0].partitions[0];
    expect(errorCode).toBe(0);
    if (records === null || records.length === 0) return pieces.join('');
    pieces.push(records.toString('hex'));
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at))
      fetchOffset = batch.lastOffset(records, at) + 1;
  }
}

async function keep(topic: string, key: string, timestamp: number): Promise<void> {
  const records = encodeBatch([{ key: Buffer.from(key), value: Buffer.from(`${timestamp}`), timestamp }]);
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
  const response = await client.request(Produce, 9, { acks: -1, timeoutMs: 1000, topicData });
  expect(response.responses[0].partitionResponses[0].errorCode).toBe(0);
}

/** The directories of the replicas of a topic that serve. */
async function placesOf(name: string): Promise<string[]> {
  const { results } = await client.request(DescribeLogDirs, 4, { topics: null });
  const serves = (dir: (typeof results)[number]) =>
    dir.topics.some((topic) => topic.name === name && topic.partitions.some(({ isFutureKey }) => !isFutureKey));
  return results.filter(serves).map(({ logDir }) => logDir);
}

const checkpointOf = (directory: string): string => {
  const path = join(directory, 'cleaner-offset-checkpoint');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

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

  it('exchange replicas while they are written to and read, and go on with a move after a restart', async () => {
    for (let i = 0; i < 200; i++) await produce('spread', i % PARTITIONS);
    const inFirst = (await directories()).get(first)?.partitions ?? [];
    const ends = () => Promise.all([0, 1, 2, 3].map(async (index) => (await logEnd('spread', index)).offset));
    const bytes = () => Promise.all([0, 1, 2, 3].map((index) => recordsOf('spread', index)));
    const before = [await ends(), await bytes()];
    expect(await move('spread', inFirst[0], join(root, 'third'))).toBe(ErrorCode.LOG_DIR_NOT_FOUND);
    expect(await move('none', 0, second)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await move('spread', inFirst[0], first)).toBe(0);
    for (const index of inFirst) expect(await move('spread', index, second)).toBe(0);
    let written = 0;
    while ((await directories()).get(first)?.partitions.length !== 0) {
      expect(await produce('spread', inFirst[0])).toBe(0);
      written += 1;
    }
    expect((await directories()).get(second)?.partitions.sort()).toEqual([0, 1, 2, 3]);
    const expected = before[0].map((end, index) => (index === inFirst[0] ? Number(end) + written : end));
    expect(await ends()).toEqual(expected);
    const after = await bytes();
    for (const index of [0, 1, 2, 3]) expect(after[index].startsWith(before[1][index] as string)).toBe(true);
    expect(await leaders('spread')).toEqual([1, 1, 1, 1]);
    expect(existsSync(join(first, `spread-${inFirst[0]}`))).toBe(false);

    // a move that is not over when the broker stops: at a byte a second it never is
    const slow = [{ name: THROTTLE, value: '1' }];
    expect(await configureBroker(slow)).toBe(0);
    expect(await move('spread', 0, first)).toBe(0);
    const { results } = await client.request(DescribeLogDirs, 4, { topics: null });
    const future = results.find((dir) => dir.logDir === first)?.topics.find((t) => t.name === 'spread');
    expect(future?.partitions).toMatchObject([{ partitionIndex: 0, isFutureKey: true }]);
    await stop();
    await start();
    await configureBroker([{ name: slow[0].name, value: `${1 << 30}` }]);
    await until(async () => {
      const { results: now } = await client.request(DescribeLogDirs, 4, { topics: null });
      const there = now.find((dir) => dir.logDir === first)?.topics.find((t) => t.name === 'spread');
      return there?.partitions[0]?.isFutureKey === false;
    });
    expect(await ends()).toEqual(expected);
    expect(await bytes()).toEqual(after);
  });

  it('leave a compacted replica as it is while it moves', async () => {
    const configs = [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'min.cleanable.dirty.ratio', value: '0' },
      { name: 'segment.ms', value: '3600000' },
    ];
    const topics = [{ name: 'compacted', numPartitions: 1, replicationFactor: 1, configs }];
    expect((await client.request(CreateTopics, 7, { topics })).topics[0].errorCode).toBe(0);
    const from = (await placesOf('compacted'))[0];
    const to = from === first ? second : first;
    await configureBroker([{ name: THROTTLE, value: '1' }]);
    // A day further each: a segment for each.
    for (const day of [9, 8, 7, 6]) await keep('compacted', 'key', Date.now() - day * 86_400_000);
    expect(await move('compacted', 0, to)).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(checkpointOf(from)).not.toContain('compacted');
    expect(await placesOf('compacted')).toEqual([from]);
    await configureBroker([{ name: THROTTLE, value: `${1 << 30}` }]);
    await until(async () => checkpointOf(to).includes('compacted 0 3'));
    expect(await placesOf('compacted')).toEqual([to]);
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

  it('come back when there is room in one that was full at the start', async () => {
    const inSecond = (await directories()).get(second)?.partitions ?? [];
    await stop();
    let isFull = true;
    const { lock } = NodeDisk.prototype;
    const spy = vi.spyOn(NodeDisk.prototype, 'lock').mockImplementation(function (this: NodeDisk, path) {
      if (isFull && path.startsWith(second)) throw new DiskError('NO_SPACE', path, 'full');
      return lock.call(this, path);
    });
    try {
      await start();
      expect(logger.of('error')).toEqual([expect.stringMatching(/cannot be used: .* until there is room/)]);
      expect(await leaders('spread')).toEqual([0, 1, 2, 3].map((index) => (inSecond.includes(index) ? -1 : 1)));
      for (const index of inSecond) expect(await produce('spread', index)).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
      isFull = false;
      await until(async () => (await leaders('spread')).every((leader) => leader === 1));
    } finally {
      spy.mockRestore();
    }
    expect((await directories()).get(second)).toEqual({ errorCode: 0, isSized: true, partitions: inSecond });
    for (const index of inSecond) expect(await produce('spread', index)).toBe(0);
    for (const index of inSecond) expect(await logEnd('spread', index)).toEqual({ errorCode: 0, offset: 2 });
  });
});
