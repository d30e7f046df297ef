/** The bundle, as it is published: what it finds beside itself at run time no other test would miss. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
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
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };

/** Within the project, since packages with native code are looked for from there. */
let folder: string;
let end: (signal: NodeJS.Signals) => Promise<string>;

beforeAll(() => {
  folder = mkdtempSync(join(PROJECT, 'node_modules', '.bundle-'));
  execFileSync(process.execPath, [join(PROJECT, 'scripts', 'build.ts'), join(folder, 'dist')], { cwd: PROJECT });
}, TIMEOUT_MS);
afterAll(async () => {
  await end?.('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Starts the bundle's command and connects; `end` gives what it has logged. */
async function start(): Promise<WireClient> {
  const args = [join(folder, 'dist', 'odradek.js'), '--port', '0', '--data-dir', join(folder, 'data')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
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
  const value = Buffer.alloc(BATCH_BYTES, 'x');
  for (let i = 0; i < BATCHES; i++) {
    const records = encodeBatch([{ value, timestamp: Date.now() }]);
    const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }];
    const { responses } = await client.request(Produce, 9, { acks: -1, timeoutMs: 1000, topicData });
    expect(responses[0].partitionResponses[0].errorCode).toBe(0);
  }
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
