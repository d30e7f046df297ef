import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { apis } from '../../protocol/messages/index.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { Odradek } from '../../src/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { WireClient } from '../support/wire-client.ts';

const HOUR_MS = 3_600_000;
const CONFIG = { 'log.retention.check.interval.ms': '20' };

let root: string;
let logger: CollectingLogger;
let broker: Odradek;
let client: WireClient;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'odradek-retention-'));
});
afterEach(async () => {
  await stop();
  rmSync(root, { recursive: true, force: true });
});

async function start(config: Record<string, string>): Promise<void> {
  logger = new CollectingLogger();
  broker = await Odradek.start({ config: { ...CONFIG, ...config }, logger });
  client = await WireClient.connect(broker.bootstrapServers);
}

async function stop(): Promise<void> {
  await client.close();
  await broker.stop();
}

/** Five segments of one record each, all of them old. */
async function fill(topic: string): Promise<void> {
  const configs = { 'segment.ms': `${HOUR_MS}`, 'retention.ms': '-1' };
  await broker.createTopics([{ name: topic, partitions: 1, configs }]);
  for (let i = 0; i < 5; i++) expect(await produce(topic, Date.now() - (50 - 2 * i) * HOUR_MS)).toBe(0);
}

async function produce(name: string, timestamp: number): Promise<number> {
  const records = encodeBatch([{ value: Buffer.from('v'), timestamp }]);
  const topicData = [{ name, partitionData: [{ index: 0, records }] }];
  const { responses } = await client.request(apis[0], 9, { acks: -1, timeoutMs: 1000, topicData });
  return responses[0].partitionResponses[0].errorCode;
}

async function retain(topics: readonly string[], name: string, value: string): Promise<void> {
  const resources = topics.map((resourceName) => ({
    resourceType: 2,
    resourceName,
    configs: [{ name, value, configOperation: 0 }],
  }));
  await client.request(apis[44], 1, { resources });
}

async function logStart(name: string): Promise<number> {
  const topics = [{ name, partitions: [{ partitionIndex: 0, timestamp: -2 }] }];
  const response = await client.request(apis[2], 5, { replicaId: -1, topics });
  return Number(response.topics[0].partitions[0].offset);
}

const failures = () => logger.lines.filter(({ level, message }) => level === 'error' && message.includes('retention'));
const turns = () => new Promise((resolve) => setTimeout(resolve, 200));

describe('retention', () => {
  it('goes on behind a partition that is damaged, and says once which one it is', async () => {
    const dir = join(root, 'data');
    await start({ 'log.dirs': dir });
    for (const topic of ['a', 'm', 'z']) await fill(topic);
    await stop();
    truncateSync(join(dir, 'm-0', '00000000000000000001.log'), 30);
    await start({ 'log.dirs': dir });
    await retain(['a', 'm', 'z'], 'retention.ms', `${HOUR_MS}`);
    await vi.waitFor(async () => expect([await logStart('a'), await logStart('z')]).toEqual([5, 5]));
    await turns();
    expect(failures()).toHaveLength(1);
    expect(failures()[0].fields).toMatchObject({ err: { message: expect.stringMatching(/^m-0: .*is damaged/) } });
    expect(await produce('z', Date.now())).toBe(0);
  });

  it('leaves out the partitions of a directory that has failed', async () => {
    const [first, second] = [join(root, 'first'), join(root, 'second')];
    mkdirSync(first);
    await start({ 'log.dirs': `${first},${second}` });
    const topics = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const topic of topics) await fill(topic);
    const kept = topics.filter((topic) => readdirSync(first).includes(`${topic}-0`));
    expect(kept).toHaveLength(3);
    renameSync(second, `${second}.kept`);
    writeFileSync(second, '');
    await vi.waitFor(() => expect(logger.of('error').join()).toContain('the log directory has failed'), 10_000);
    await retain(topics, 'retention.bytes', '150');
    await vi.waitFor(async () => expect(await Promise.all(kept.map(logStart))).toEqual([2, 2, 2]));
    await turns();
    expect(failures()).toEqual([]);
  });
});
