import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { apis } from '../../protocol/messages/index.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { Odradek } from '../../src/index.ts';
import { DiskError, Log, LogError } from '../../storage/index.ts';
import { WireClient } from '../support/wire-client.ts';

const STORAGE = ErrorCode.KAFKA_STORAGE_ERROR;
const PRODUCER = { producerId: 5000, producerEpoch: 0 };
/** A type of resource with a configuration, and a type of coordinator. */
const GROUP = 32;
const SHARE = 2;

let dir: string;
let broker: Odradek;
let client: WireClient;
let ids: Map<string, string>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-damaged-'));
  await start();
  await broker.createTopics(['damaged', 'healthy'].map((name) => ({ name, partitions: 1 })));
  for (let i = 0; i < 3; i++) expect(await produce('damaged', 'healthy')).toEqual([0, 0]);
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  broker = await Odradek.start({ dataDir: dir, config: { 'transaction.partition.verification.enable': 'false' } });
  client = await WireClient.connect(broker.bootstrapServers);
}

async function stop(): Promise<void> {
  await client.close();
  await broker.stop();
}

const LOG = '00000000000000000000.log';

/** After an orderly end the last bytes of the partition's only segment are lost. */
async function damage(): Promise<void> {
  await stop();
  const path = join(dir, 'damaged-0', LOG);
  truncateSync(path, statSync(path).size - 7);
  await start();
  const { topics } = await client.request(apis[3], 12, { topics: null });
  ids = new Map(topics.map(({ name, topicId }) => [name ?? '', topicId]));
}

/** The damaged one first. */
const both = <T>(make: (name: string) => T): T[] => ['damaged', 'healthy'].map(make);
const idOf = (name: string): string => ids.get(name) as string;

async function produce(...names: string[]): Promise<number[]> {
  const records = () => encodeBatch([{ value: Buffer.alloc(100), timestamp: Date.now() }]);
  const topicData = names.map((name) => ({ name, partitionData: [{ index: 0, records: records() }] }));
  const { responses } = await client.request(apis[0], 9, { acks: -1, timeoutMs: 1000, topicData });
  return responses.map(({ partitionResponses }) => partitionResponses[0].errorCode);
}

async function configureGroup(resourceName: string, settings: Record<string, string>): Promise<void> {
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value, configOperation: 0 }));
  const { responses } = await client.request(apis[44], 1, {
    resources: [{ resourceType: GROUP, resourceName, configs }],
  });
  expect(responses[0].errorCode).toBe(0);
}

/** As the group coordinator does it for the first member. */
async function beginShareGroup(groupId: string): Promise<void> {
  const topics = both((name) => ({
    topicId: idOf(name),
    partitions: [{ partition: 0, stateEpoch: 0, startOffset: -1 }],
  }));
  await client.request(apis[10], 6, { keyType: SHARE, coordinatorKeys: [`${groupId}:${idOf('healthy')}:0`] });
  await vi.waitFor(async () => {
    const { results } = await client.request(apis[83], 0, { groupId, topics });
    expect(results.map(({ partitions }) => partitions[0].errorCode)).toEqual([0, 0]);
  });
}

const fetched = (fetchOffset: number) => [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }];

describe('a partition that is damaged fails alone', () => {
  beforeEach(damage);

  it('in Produce', async () => {
    expect(await produce('damaged', 'healthy')).toEqual([STORAGE, 0]);
  });

  it('in Produce of a transaction', async () => {
    const header = { ...PRODUCER, baseSequence: 0, transactional: true };
    const records = () => encodeBatch([{ value: Buffer.from('v'), timestamp: Date.now() }], header);
    const topicData = both((name) => ({ name, partitionData: [{ index: 0, records: records() }] }));
    const request = { transactionalId: 'id', acks: -1, timeoutMs: 1000, topicData };
    const { responses } = await client.request(apis[0], 9, request);
    expect(responses.map(({ partitionResponses }) => partitionResponses[0].errorCode)).toEqual([STORAGE, 0]);
  });

  it.each([0, 1])('in Fetch with isolation level %i', async (isolationLevel) => {
    const topics = both((topic) => ({ topic, partitions: fetched(0) }));
    const response = await client.request(apis[1], 11, { isolationLevel, sessionEpoch: -1, topics });
    expect(response.errorCode).toBe(0);
    expect(response.responses.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
    expect(response.responses[1].partitions[0].records?.length).toBeGreaterThan(300);
  });

  it('in each Fetch of a session', async () => {
    const topics = both((name) => ({ topicId: idOf(name), partitions: fetched(3) }));
    const first = await client.request(apis[1], 13, { maxWaitMs: 0, sessionEpoch: 0, topics });
    expect(first.responses.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
    await produce('healthy');
    const session = { maxWaitMs: 0, sessionId: first.sessionId, sessionEpoch: 1, topics: [] };
    const next = await client.request(apis[1], 13, session);
    expect(next.errorCode).toBe(0);
    expect(next.responses.map(({ topicId, partitions }) => [topicId, partitions[0].errorCode])).toEqual([
      [idOf('damaged'), STORAGE],
      [idOf('healthy'), 0],
    ]);
  });

  it.each([
    ['read_committed and the latest offset', 1, -1],
    ['the largest timestamp', 0, -3],
    ['a timestamp', 0, 1],
  ])('in ListOffsets with %s', async (_what, isolationLevel, timestamp) => {
    const topics = both((name) => ({ name, partitions: [{ partitionIndex: 0, timestamp }] }));
    const response = await client.request(apis[2], 8, { replicaId: -1, isolationLevel, topics });
    expect(response.topics.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
    const alone = await client.request(apis[2], 8, { replicaId: -1, isolationLevel, topics: topics.slice(0, 1) });
    expect(alone.topics.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE]);
  });

  it('in DescribeProducers', async () => {
    const topics = both((name) => ({ name, partitionIndexes: [0] }));
    const response = await client.request(apis[61], 0, { topics });
    expect(response.topics.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
  });

  it('in WriteTxnMarkers', async () => {
    const topics = both((name) => ({ name, partitionIndexes: [0] }));
    const markers = [{ ...PRODUCER, transactionResult: true, topics, coordinatorEpoch: 0 }];
    const response = await client.request(apis[27], 1, { markers });
    expect(response.markers[0].topics.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
  });

  it.each([
    ['from the beginning', 'earliest'],
    ['from the offset of a time', 'by_duration:PT1H'],
  ])('in ShareFetch %s', async (_what, reset) => {
    await configureGroup('g', { 'share.auto.offset.reset': reset, 'share.isolation.level': 'read_committed' });
    await beginShareGroup('g');
    const topics = both((name) => ({ topicId: idOf(name), partitions: [{ partitionIndex: 0 }] }));
    const limits = { maxWaitMs: 5000, minBytes: 1, maxBytes: 1 << 20, maxRecords: 100, batchSize: 100 };
    const member = { groupId: 'g', memberId: 'AAAAAAAAAAAAAAAAAAAAAQ', shareSessionEpoch: 0 };
    const response = await client.request(apis[78], 1, { ...member, ...limits, topics });
    expect(response.errorCode).toBe(0);
    const byId = new Map(response.responses.map(({ topicId, partitions }) => [topicId, partitions[0]]));
    expect(both((name) => byId.get(idOf(name))?.errorCode)).toEqual([STORAGE, 0]);
    expect(byId.get(idOf('healthy'))?.records?.length).toBeGreaterThan(300);
  });

  it('not at all where nothing of it is read', async () => {
    const epochs = both((topic) => ({ topic, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }));
    const ends = await client.request(apis[23], 4, { topics: epochs });
    expect(ends.topics.map(({ partitions }) => partitions[0].errorCode)).toEqual([0, 0]);
    const sized = await client.request(apis[35], 4, { topics: null });
    expect(sized.results[0].topics.map(({ name }) => name)).toEqual(expect.arrayContaining(['damaged', 'healthy']));
  });
});

describe('a partition whose log fails at what is asked of it fails alone', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** The log of `damaged` throws LogError at this; the other one gives `value`. */
  function fails(method: 'endOffsetForEpoch' | 'advanceLogStartOffset' | 'epochForOffset', value: unknown): void {
    const answer = function (this: Log): never {
      if (this.topic === 'damaged') throw new LogError('KAFKA_STORAGE_ERROR', 'cannot be read');
      return value as never;
    };
    vi.spyOn(Log.prototype, method).mockImplementation(answer);
  }

  it('in OffsetForLeaderEpoch', async () => {
    fails('endOffsetForEpoch', { epoch: 0, endOffset: 1 });
    const topics = both((topic) => ({ topic, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 7 }] }));
    const response = await client.request(apis[23], 4, { topics });
    expect(response.topics.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
  });

  it('in DeleteRecords', async () => {
    fails('advanceLogStartOffset', true);
    const topics = both((name) => ({ name, partitions: [{ partitionIndex: 0, offset: 2 }] }));
    const response = await client.request(apis[21], 2, { topics, timeoutMs: 1000 });
    expect(response.topics.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
  });

  it('in ListOffsets with the earliest offset', async () => {
    fails('epochForOffset', 0);
    const topics = both((name) => ({ name, partitions: [{ partitionIndex: 0, timestamp: -2 }] }));
    const response = await client.request(apis[2], 8, { replicaId: -1, topics });
    expect(response.topics.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
  });

  it('in DescribeLogDirs, which does not tell of it', async () => {
    vi.spyOn(Log.prototype, 'sizeBytes', 'get').mockImplementation(function (this: Log) {
      if (this.topic === 'damaged') throw new DiskError('IO', this.dir, 'cannot be looked at');
      return 7;
    });
    const { results } = await client.request(apis[35], 4, { topics: null });
    expect(results[0].errorCode).toBe(0);
    expect(results[0].topics.map(({ name }) => name)).toEqual(['healthy']);
  });
});

describe('a Fetch that waits', () => {
  it('is answered when one of its partitions is damaged meanwhile', async () => {
    await stop();
    await start();
    const waiting = await WireClient.connect(broker.bootstrapServers);
    const topics = both((topic) => ({
      topic,
      partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }],
    }));
    const limits = { maxWaitMs: 10_000, minBytes: 1 << 20, maxBytes: 1 << 21, sessionEpoch: -1 };
    const begun = performance.now();
    const answer = waiting.request(apis[1], 11, { ...limits, topics });
    await new Promise((resolve) => setTimeout(resolve, 100));
    truncateSync(join(dir, 'damaged-0', LOG), 20);
    await produce('healthy');
    const { responses } = await answer;
    expect(responses.map(({ partitions }) => partitions[0].errorCode)).toEqual([STORAGE, 0]);
    expect(performance.now() - begun).toBeLessThan(5000);
    await waiting.close();
  });
});
