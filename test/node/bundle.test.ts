/** The bundle, as it is published: what it finds beside itself at run time no other test would miss. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { WireClient } from '../support/wire-client.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const TOPIC = 'large';
/** More than what is checked without threads. */
const BATCHES = 80;
const BATCH_BYTES = 1_000_000;
const TIMEOUT_MS = 60_000;

const Produce = { request: ProduceRequest, response: ProduceResponse };
const Metadata = { request: MetadataRequest, response: MetadataResponse };
const CreateTopics = { request: CreateTopicsRequest, response: CreateTopicsResponse };
const AlterConfigs = { request: IncrementalAlterConfigsRequest, response: IncrementalAlterConfigsResponse };
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };

/** Within the project, since packages with native code are looked for from there. */
let folder: string;
let end: (signal: NodeJS.Signals) => Promise<string>;
let logged: () => string;

beforeAll(() => {
  folder = mkdtempSync(join(PROJECT, 'node_modules', '.bundle-'));
  execFileSync(process.execPath, [join(PROJECT, 'scripts', 'build.ts'), join(folder, 'dist')], { cwd: PROJECT });
}, TIMEOUT_MS);
afterAll(async () => {
  await end?.('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Starts the bundle's command and connects; `end` gives what it has logged. */
async function start(...options: string[]): Promise<WireClient> {
  const args = [join(folder, 'dist', 'odradek.js'), '--port', '0', '--data-dir', join(folder, 'data'), ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  logged = () => log;
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(log)));
  end = (signal) => {
    child.kill(signal);
    return ended;
  };
  let ready = '';
  for await (const chunk of child.stdout) {
    ready += chunk;
    if (ready.endsWith('\n')) break;
  }
  return WireClient.connect(ready.trim().replace('odradek ready: PLAINTEXT://', ''));
}

async function fill(client: WireClient): Promise<void> {
  await client.request(Metadata, 9, { topics: [{ name: TOPIC }], allowAutoTopicCreation: true });
  await produce(client, TOPIC, BATCHES, null);
}

async function produce(client: WireClient, name: string, batches: number, key: Buffer | null): Promise<void> {
  const value = Buffer.alloc(BATCH_BYTES, 'x');
  for (let i = 0; i < batches; i++) {
    const records = encodeBatch([{ key, value, timestamp: Date.now() }]);
    const topicData = [{ name, partitionData: [{ index: 0, records }] }];
    const { responses } = await client.request(Produce, 9, { acks: -1, timeoutMs: 1000, topicData });
    expect(responses[0].partitionResponses[0].errorCode).toBe(0);
  }
}

async function setTopicConfig(client: WireClient, resourceName: string, name: string, value: string): Promise<void> {
  const [topic, set] = [2, 0];
  const resources = [{ resourceType: topic, resourceName, configs: [{ name, configOperation: set, value }] }];
  const { responses } = await client.request(AlterConfigs, 1, { resources, validateOnly: false });
  expect(responses[0].errorCode).toBe(0);
}

async function endOffset(client: WireClient): Promise<number> {
  const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
  const response = await client.request(ListOffsets, 5, { replicaId: -1, topics });
  return Number(response.topics[0].partitions[0].offset);
}

it('starts, and checks in threads what nobody vouches for', { timeout: TIMEOUT_MS }, async () => {
  const first = await start();
  await fill(first);
  await first.close();
  await end('SIGKILL');
  // As the lock of a process that was there before a power cut.
  writeFileSync(join(folder, 'data', '.lock'), '');
  const second = await start();
  expect(await endOffset(second)).toBe(BATCHES);
  await second.close();
  const log = await end('SIGTERM');
  expect(log).toContain('nobody vouches for what was written last: it is checked');
  expect(log).not.toContain('files could not be checked in advance');
});

it('compacts in a thread what is not small', { timeout: TIMEOUT_MS }, async () => {
  const client = await start('--set', 'log.cleaner.backoff.ms=100');
  const configs = [{ name: 'segment.bytes', value: String(4 * BATCH_BYTES) }];
  const topics = [{ name: 'compacted', numPartitions: 1, replicationFactor: 1, configs }];
  const created = await client.request(CreateTopics, 7, { topics });
  expect(created.topics[0].errorCode).toBe(0);
  await produce(client, 'compacted', 20, Buffer.from('key'));
  // Only now, when there is more of it than what is compacted without a thread.
  await setTopicConfig(client, 'compacted', 'cleanup.policy', 'compact');
  await expect.poll(logged, { timeout: 20_000 }).toMatch(/log compacted|compaction failed/);
  expect(logged()).not.toContain('compaction failed');
  expect(Number(/"bytesRead":(\d+)/.exec(logged())?.[1])).toBeGreaterThan(2 * 8_388_608);
  await client.close();
  await end('SIGTERM');
});
