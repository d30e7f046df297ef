import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { Odradek } from '../../src/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { WireClient } from '../support/wire-client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };
const DeleteTopics = { request: DeleteTopicsRequest, response: DeleteTopicsResponse };
const DescribeLogDirs = { request: DescribeLogDirsRequest, response: DescribeLogDirsResponse };

const SEGMENT = '00000000000000000000.log';
const STRAY = /^t-0\.[A-Za-z0-9]+-stray$/;

let root: string;
let paths: readonly string[];
let broker: Odradek;
let client: WireClient;
let logger: CollectingLogger;

async function start(): Promise<void> {
  logger = new CollectingLogger();
  broker = await Odradek.start({ config: { 'log.dirs': paths.join(',') }, logger });
  client = await WireClient.connect(broker.bootstrapServers);
}

async function stop(): Promise<void> {
  await client.close();
  await broker.stop();
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'odradek-stray-'));
  paths = [join(root, 'first')];
  await start();
  await create('t');
  await produce('t');
});
afterEach(async () => {
  await stop();
  rmSync(root, { recursive: true, force: true });
});

const create = (name: string) => broker.createTopics([{ name, partitions: 1 }]);

async function produce(name: string): Promise<void> {
  const records = encodeBatch([{ value: Buffer.from('v'), timestamp: Date.now() }]);
  const topicData = [{ name, partitionData: [{ index: 0, records }] }];
  const { responses } = await client.request(Produce, 9, { acks: -1, timeoutMs: 1000, topicData });
  expect(responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.NONE);
}

async function logEnd(name: string): Promise<number> {
  const topics = [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
  const { topics: found } = await client.request(ListOffsets, 5, { replicaId: -1, topics });
  expect(found[0].partitions[0].errorCode).toBe(ErrorCode.NONE);
  return Number(found[0].partitions[0].offset);
}

const deleteTopic = (name: string) => client.request(DeleteTopics, 5, { topicNames: [name], timeoutMs: 1000 });

/** Folders of topic t, by log directory. */
const folders = () => paths.map((path) => readdirSync(path).filter((name) => name.startsWith('t-0')));

const warnings = () => logger.of('warn').filter((message) => message.includes('the metadata has no such partition'));

function writeTopicId(topicId: string): void {
  writeFileSync(join(paths[0], 't-0', 'partition.metadata'), `version: 0\ntopic_id: ${topicId}`);
}

describe('a folder of a partition that the metadata does not know', () => {
  let records: Buffer;

  /** Starts with the folder of t, but without its topic. */
  async function startWithout(change: (folder: string) => void): Promise<void> {
    const [path] = paths;
    const aside = join(root, 'aside');
    cpSync(join(path, 't-0'), aside, { recursive: true });
    records = readFileSync(join(aside, SEGMENT));
    await deleteTopic('t');
    await stop();
    renameSync(aside, join(path, 't-0'));
    change(join(path, 't-0'));
    await start();
  }

  function expectStray(): void {
    const [[stray, ...others]] = [folders()[0].filter((name) => !name.endsWith('-delete'))];
    expect([stray, others]).toEqual([expect.stringMatching(STRAY), []]);
    expect(readFileSync(join(paths[0], stray, SEGMENT)).equals(records)).toBe(true);
    expect(warnings()).toHaveLength(1);
  }

  it.each([
    ['', () => {}],
    [', without partition.metadata,', (folder: string) => rmSync(join(folder, 'partition.metadata'))],
    [', with a partition.metadata of nonsense,', () => writeTopicId('not an id, is it? no..')],
  ])('%s is kept as a stray one at the start', async (_how, change) => {
    await startWithout(change);
    expectStray();
    const { results } = await client.request(DescribeLogDirs, 4, { topics: null });
    expect(results.flatMap((dir) => dir.topics)).toEqual([]);
  });

  it('is no part of a new topic of its name, nor told of again', async () => {
    await startWithout((folder) => rmSync(join(folder, 'partition.metadata')));
    await create('t');
    expect(await logEnd('t')).toBe(0);
    await produce('t');
    await stop();
    await start();
    expect(await logEnd('t')).toBe(1);
    expect(folders()[0].filter((name) => STRAY.test(name))).toHaveLength(1);
    expect(warnings()).toEqual([]);
  });
});

it('a folder of another topic of the same name is kept as a stray one', async () => {
  await stop();
  writeTopicId('AAAAAAAAAAAAAAAAAAABbw');
  await start();
  expect(await logEnd('t')).toBe(0);
  expect(folders()).toEqual([['t-0', expect.stringMatching(STRAY)]]);
  expect(warnings()).toHaveLength(1);
});

it('a partition whose topic id was lost with the power is found by its name', async () => {
  await stop();
  writeTopicId('');
  await start();
  expect([await logEnd('t'), folders()]).toEqual([1, [['t-0']]]);
});

it('a topic that is deleted is no stray', async () => {
  await deleteTopic('t');
  expect(folders()).toEqual([[expect.stringMatching(/^t-0\.[A-Za-z0-9]+-delete$/)]]);
});

it('the old copy of a topic that was made anew while its directory was away is kept as a stray one', async () => {
  await stop();
  const other = join(root, 'second');
  paths = [paths[0], other];
  await start();
  await stop();
  const [path] = paths;
  const away = join(root, 'away');
  cpSync(join(path, 't-0'), away, { recursive: true });
  await start();
  await deleteTopic('t');
  await create('t');
  await stop();
  const home = paths.find((dir) => readdirSync(dir).includes('t-0')) === path ? other : path;
  renameSync(away, join(home, 't-0'));
  await start();
  expect(await logEnd('t')).toBe(0);
  const [held, returned] = home === path ? folders().reverse() : folders();
  expect(returned).toContainEqual(expect.stringMatching(STRAY));
  expect([held.includes('t-0'), returned.includes('t-0')]).toEqual([true, false]);
});
